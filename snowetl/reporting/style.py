"""The style of report pages: light and dark, from a phone's width up, and on paper."""

STYLE = """
:root{--ink:#1c2430;--soft:#5d6b7e;--line:#d9dfe7;--paper:#fff;--back:#f4f6f9;--good:#1f8a5b;--bad:#c0392b;--warn:#9a6700;
--gone:#8a94a3;--accent:30,96,180}
@media (prefers-color-scheme:dark){:root{--ink:#e4e9f0;--soft:#98a5b7;--line:#323c4a;--paper:#1b222c;--back:#12171e;
--good:#4cc38a;--bad:#f0786a;--warn:#e3b341;--gone:#6d7887;--accent:96,165,250}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:15px/1.5 system-ui,"Segoe UI",Roboto,sans-serif}
main{max-width:1080px;margin:0 auto;padding:20px 16px 40px}
a{color:rgb(var(--accent))}
h1{font-size:1.45rem;margin:0 0 12px;overflow-wrap:anywhere}
h2{font-size:1.05rem;margin:0 0 10px}
h3{font-size:.95rem;margin:12px 0 6px}
small{color:var(--soft);font-weight:400;overflow-wrap:anywhere}
em,.soft{color:var(--soft)}
section{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:16px;margin:14px 0}
.status{display:inline-block;font-size:.85rem;font-weight:600;border:1px solid;border-radius:99px;padding:1px 12px;
vertical-align:middle}
.status.good{color:var(--good)}.status.warn{color:var(--warn)}.status.bad{color:var(--bad)}
.wrong{color:var(--bad);margin:8px 0;padding-left:20px;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:3px 16px;margin:14px 2px}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.links{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:2px 16px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(135px,1fr));gap:10px;list-style:none;margin:0;padding:0}
.tiles li{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:10px 14px;color:var(--soft)}
.tiles b{display:block;font-size:1.35rem;color:var(--ink);font-variant-numeric:tabular-nums}
.tiles .good b{color:var(--good)}.tiles .bad b{color:var(--bad)}
.tiles.small b{font-size:1.05rem}.tiles.small li{padding:6px 12px}
table{border-collapse:collapse;width:100%}
th{text-align:left;font-weight:500}
td,th{padding:3px 8px 3px 0;vertical-align:middle}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.flow th{width:38%;overflow-wrap:anywhere}.flow .n{width:1%}
.bar{padding-right:0}.bar i{display:block;height:14px;min-width:2px;border-radius:3px;background:rgb(var(--accent))}
.good .bar i{background:var(--good)}.bad .bar i{background:var(--bad)}
.gone .bar i,.failed .bar i{background:var(--gone)}
.wide{overflow-x:auto}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(260px,1fr));gap:0 28px}
.card h3{margin-top:0}.card .bar i{height:8px}.card{min-width:0}
.chart{margin:0;position:relative}.chart svg{display:block;width:100%;height:120px;border-bottom:1px solid var(--line)}
.there{fill:rgb(var(--accent))}.gap{fill:var(--bad)}
.most{position:absolute;top:-4px;left:0;color:var(--soft);font-size:.75rem;background:var(--paper);padding-right:4px}
figcaption{display:flex;justify-content:space-between;color:var(--soft);font-size:.8rem;gap:12px}
.gaps{color:var(--bad);font-size:.9rem;margin:8px 0 0}
.spark{display:block;width:100%;height:44px;margin-top:6px}
.hours th{white-space:nowrap}
.hours thead span{display:inline-block;writing-mode:vertical-rl;font-size:.72rem;color:var(--soft)}
.hours td,.hours th{padding:2px 4px;text-align:right;font-size:.8rem}.hours th:first-child{text-align:left}
.heat{background:rgba(var(--accent),calc(var(--heat)*.55));border-radius:3px}
.plain thead th{color:var(--soft);border-bottom:1px solid var(--line)}.plain th{white-space:nowrap}
.plain td,.plain th{padding-right:16px}.plain td:last-child{overflow-wrap:anywhere;min-width:14em}
.plain thead th.n{text-align:right}
.runs td:last-child{min-width:0}.runs .status{white-space:nowrap}
.trends{grid-template-columns:repeat(auto-fit,minmax(220px,1fr))}
details{border-top:1px solid var(--line);padding:8px 0}details:first-of-type{border-top:0}
summary{cursor:pointer;display:flex;gap:10px;list-style:none}summary::before{content:"\\25B8";color:var(--soft)}
details[open] summary::before{content:"\\25BE"}summary::-webkit-details-marker{display:none}
summary .n{min-width:2.5em;color:var(--bad)}summary .n.soft{color:var(--soft);min-width:3.2em}
.what{overflow-wrap:anywhere;min-width:0}.what small{display:block}
details figure{margin:10px 0}details figcaption{color:var(--ink);overflow-wrap:anywhere}
details p{margin:4px 0}
pre{background:var(--back);border:1px solid var(--line);border-radius:6px;padding:10px;overflow:auto;max-height:22em;
font-size:.78rem;white-space:pre-wrap;overflow-wrap:anywhere;margin:4px 0}
footer{color:var(--soft);font-size:.8rem;text-align:center}
@media (max-width:600px){
.flow,.flow tbody{display:block}.flow tr{display:grid;grid-template-columns:auto auto 1fr;column-gap:8px;padding:3px 0}
.flow th{grid-column:1/-1;width:auto;padding:0}.flow .n{width:auto;min-width:3.5em}
.flow .n+.n{text-align:right}
.flow .bar{align-self:center}
.reason .flow tr{grid-template-columns:1fr}
.plain td,.plain th{padding-right:10px}.plain td:last-child{min-width:9em}.runs td:last-child{min-width:0}
dl{grid-template-columns:minmax(0,1fr)}dd{margin-bottom:4px}
summary{gap:6px}summary .n{min-width:1.5em}summary .n.soft{min-width:2.4em;font-size:.85rem}
}
@media print{
:root{--ink:#000;--soft:#444;--line:#ccc;--paper:#fff;--back:#fff;--good:#1f8a5b;--bad:#c0392b;--warn:#9a6700;
--gone:#8a94a3;--accent:30,96,180}
body{font-size:10pt}main{max-width:none;padding:0}
section{padding:8px 0;border:0;border-top:1px solid var(--line);border-radius:0}
tr,li,.chart,.card,summary{break-inside:avoid}h2,h3{break-after:avoid}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
pre{max-height:none}.wide{overflow:visible}.hours td,.hours th{font-size:5.5pt;padding:1px}
.hours thead span{font-size:5.5pt}
a{color:inherit;text-decoration:none}
}
"""

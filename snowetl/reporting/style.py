"""The style of report pages: light and dark, from a phone's width up."""

STYLE = """
:root{--ink:#1c2430;--soft:#5d6b7e;--line:#d9dfe7;--paper:#fff;--back:#f4f6f9;--good:#1f8a5b;--bad:#c0392b;--gone:#8a94a3;
--accent:30,96,180}
@media (prefers-color-scheme:dark){:root{--ink:#e4e9f0;--soft:#98a5b7;--line:#323c4a;--paper:#1b222c;--back:#12171e;
--good:#4cc38a;--bad:#f0786a;--gone:#6d7887;--accent:96,165,250}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:15px/1.5 system-ui,"Segoe UI",Roboto,sans-serif}
main{max-width:1080px;margin:0 auto;padding:20px 16px 40px}
h1{font-size:1.45rem;margin:0 0 12px;overflow-wrap:anywhere}
h2{font-size:1.05rem;margin:0 0 10px}
h3{font-size:.95rem;margin:12px 0 6px}
small{color:var(--soft);font-weight:400;overflow-wrap:anywhere}
section{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:16px;margin:14px 0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(135px,1fr));gap:10px;list-style:none;margin:0;padding:0}
.tiles li{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:10px 14px;color:var(--soft)}
.tiles b{display:block;font-size:1.35rem;color:var(--ink);font-variant-numeric:tabular-nums}
.tiles .good b{color:var(--good)}.tiles .bad b{color:var(--bad)}
table{border-collapse:collapse;width:100%}
th{text-align:left;font-weight:500}
td,th{padding:3px 8px 3px 0;vertical-align:middle}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.flow th{width:38%;overflow-wrap:anywhere}.flow .n{width:1%}
.bar{padding-right:0}.bar i{display:block;height:14px;min-width:2px;border-radius:3px;background:rgb(var(--accent))}
.good .bar i{background:var(--good)}.bad .bar i{background:var(--bad)}.gone .bar i{background:var(--gone)}
.wide{overflow-x:auto}
.hours th{white-space:nowrap}
.hours thead span{display:inline-block;writing-mode:vertical-rl;font-size:.72rem;color:var(--soft)}
.hours td,.hours th{padding:2px 4px;text-align:right;font-size:.8rem}.hours th:first-child{text-align:left}
.heat{background:rgba(var(--accent),calc(var(--heat)*.55));border-radius:3px}
.plain thead th{color:var(--soft);border-bottom:1px solid var(--line)}.plain th{white-space:nowrap}
.plain td,.plain th{padding-right:16px}.plain td:last-child{overflow-wrap:anywhere;min-width:14em}
details{border-top:1px solid var(--line);padding:8px 0}
summary{cursor:pointer;display:flex;gap:10px}summary::before{content:"\\25B8";color:var(--soft)}
details[open] summary::before{content:"\\25BE"}summary::-webkit-details-marker{display:none}
summary .n{min-width:2.5em;color:var(--bad)}
pre{background:var(--back);border:1px solid var(--line);border-radius:6px;padding:10px;overflow:auto;max-height:22em;
font-size:.78rem;white-space:pre-wrap;overflow-wrap:anywhere}
@media (max-width:600px){
.flow,.flow tbody{display:block}.flow tr{display:grid;grid-template-columns:auto 1fr;column-gap:8px;padding:3px 0}
.flow th{grid-column:1/-1;width:auto;padding:0}.flow .n{width:auto;min-width:4em}
.flow .n+.n{grid-column:2;text-align:left}
.flow .n~.n~.bar{grid-column:1/-1}
.plain td,.plain th{padding-right:10px}.plain td:last-child{min-width:9em}
}
footer{color:var(--soft);font-size:.8rem;text-align:center}
"""

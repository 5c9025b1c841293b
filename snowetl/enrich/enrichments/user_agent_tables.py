"""The browsers, operating systems and devices that UserAgentUtils 1.21 tells apart, and by which words.

Names, words and order are that library's (Copyright (c) 2013, Harald Walker, bitwalker.eu; BSD-3-Clause, see NOTICE).

One entry a line: ``name | words | words that forbid it | kind | maker [| rule for the version]``; words are separated
by ``&``, ``~`` is a blank at the edge of a word, a backslash continues a line. Entries further in are finer grades of
the one above; cells left out at the end, or empty, are as in that one (but not the words that forbid). A name
``Chrome 65..40`` stands for 26 entries, ``{}`` for their numbers.
"""

from __future__ import annotations

BROWSERS = """
Outlook | msoffice | | Email Client | WORD | outlook
  Outlook 2007 | msoffice 12
  Outlook 2013 | microsoft outlook 15
  Outlook 2010 | msoffice 14 & microsoft outlook 14
Internet Explorer | msie & trident & ie~ | bingpreview & xbox | Browser | TRIDENT | msie
  Windows Live Mail | outlook-express/7.0 | | Email Client
  IE Mobile 11 | iemobile/11 | | Browser (mobile) | | trident
  IE Mobile 10..9 | iemobile/{} | | Browser (mobile)
  IE Mobile 7 | iemobile 7 | | Browser (mobile)
  IE Mobile 6 | iemobile 6 | | Browser (mobile)
  Xbox | xbox
  Internet Explorer 11 | trident/7 & ie 11. | msie 7 & bingpreview | | | trident
  Internet Explorer 10 | msie 10
  Internet Explorer 9 | msie 9
  Internet Explorer 8 | msie 8
  Internet Explorer 7 | msie 7
  Internet Explorer 6 | msie 6
  Internet Explorer 5.5 | msie 5.5
  Internet Explorer 5 | msie 5
Microsoft Edge | edge | | Browser | EDGE_HTML | edge
  Microsoft Edge Mobile | mobile safari | | Browser (mobile)
    Microsoft Edge Mobile (layout engine 15) | edge/15
    Microsoft Edge Mobile (layout engine 14) | edge/14
    Microsoft Edge Mobile (layout engine 13) | edge/13
    Microsoft Edge Mobile (layout engine 12) | edge/12
  Microsoft Edge (layout engine 16) | edge/16 | mobile
  Microsoft Edge (layout engine 15) | edge/15 | mobile
  Microsoft Edge (layout engine 14) | edge/14 | mobile
  Microsoft Edge (layout engine 13) | edge/13 | mobile
  Microsoft Edge (layout engine 12) | edge/12 | mobile
Chrome | chrome & crmo & crios | opr/ & web preview & vivaldi | Browser | WEBKIT | chrome
  Chrome Mobile | crmo & crios & mobile safari | opr/ | Browser (mobile) | | chrome mobile
  Chrome 65..40 | chrome/{} | opr/ & web preview & vivaldi
  Chrome 39..19 | chrome/{} | opr/ & web preview
  Chrome 18..8 | chrome/{}
Omniweb | omniweb | | Browser | WEBKIT
Firefox | firefox & fxios | camino & flock & ggpht.com & wordpress.com mshots | Browser | GECKO | firefox
  Firefox 3 Mobile | firefox/3.5 maemo | | Browser (mobile)
  Firefox Mobile | mobile | | Browser (mobile)
    Firefox Mobile 23 | firefox/23
    Firefox Mobile (iOS) | fxios | | | WEBKIT
  Firefox 59..22 | firefox/{}
  Firefox 21 | firefox/21 | wordpress.com mshots
  Firefox 20..7 | firefox/{}
  Firefox 6..4 | firefox/{}.
  Firefox 3 | firefox/3. | camino & flock & ggpht.com
  Firefox 2 | firefox/2. | camino & wordpress.com mshots
  Firefox 1.5 | firefox/1.5
Safari | safari | bot & preview & opr/ & coast/ & vivaldi & cfnetwork & phantom | Browser | WEBKIT | safari
  BlackBerry | bb10 | | Browser (mobile)
  Mobile Safari | mobile safari & mobile/ | bot & preview & opr/ & coast/ & vivaldi & cfnetwork & fxios \
 | Browser (mobile)
  Silk | silk/ | | | | silk
  Safari 11..8 | version/{} | bot
  Safari 7 | version/7 | bing
  Safari 6 | version/6
  Safari 5 | version/5 & applewebkit/533 & applewebkit/534 | google web preview
  Safari 4 | version/4 | googlebot-mobile
Opera | ~coast/ | | Browser (mobile) | WEBKIT | coast
  Opera | ~coast/1. | | | | coast
Opera | ~opr/ & opera | | Browser | PRESTO | opera
  Opera Mobile | mobile safari | | Browser (mobile) | BLINK | opr
  Opera Mini | opera mini | | Browser (mobile)
  Opera 51..42 | opr/{}. | | | WEBKIT | opr
  Opera 34..23 | opr/{}. | | | WEBKIT | opr
  Opera 20..15 | opr/{}. | | | WEBKIT | opr
  Opera 12 | opera/12 & version/12. | | | | version
  Opera 11 | version/11. | | | | version
  Opera 10 | opera/9.8 | | | | version
  Opera 9 | opera/9
Konqueror | konqueror | exabot | Browser | KHTML | konqueror
Samsung Dolphin 2 | dolfin/2 | | Browser (mobile) | WEBKIT
Apple WebKit | applewebkit | bot & preview & opr/ & coast/ & vivaldi & phantom | Browser | WEBKIT
  iTunes | itunes | | Application
  App Store | macappstore | | Application
  Adobe AIR application | adobeair | | Application
Lotus Notes | lotus-notes | | Email Client | OTHER | lotus notes
Camino | camino | | Browser | GECKO | camino
  Camino 2 | camino/2
Flock | flock | | Browser | GECKO | flock
Thunderbird | thunderbird | | Email Client | GECKO | thunderbird
  Thunderbird 12..10 | thunderbird/{}
  Thunderbird 8..6 | thunderbird/{}
  Thunderbird 3..2 | thunderbird/{}
Vivaldi | vivaldi | | Browser | BLINK | vivaldi
SeaMonkey | seamonkey | | Browser | GECKO | seamonkey
Robot/Spider | mediapartners-google & web preview & bot & spider & crawler & feedfetcher & slurp & twiceler & nutch \
& bingpreview & wordpress.com mshots & seznam & facebookexternalhit & yandexmarket & teoma & \
thumbsniper & phantom & go-http-client & java/ & python-requests | | Robot | OTHER
  Mobile Robot/Spider | googlebot-mobile
Mozilla | mozilla & moozilla | ggpht.com | Browser | OTHER
CFNetwork | cfnetwork | | unknown | OTHER | cfnetwork
Eudora | eudora | | Email Client | OTHER
PocoMail | pocomail | | Email Client | OTHER
The Bat! | the bat | | Email Client | OTHER
NetFront | netfront | | Browser (mobile) | OTHER
Evolution | camelhttpstream | | Email Client | OTHER
Lynx | lynx | | Browser (text only) | OTHER | lynx
Downloading Tool | curl & wget & ggpht.com & apache-httpclient | | Downloading tool | OTHER
"""
"""Kind is ``br_type``, maker ``br_renderengine``."""

SYSTEMS = """
Windows | windows | palm & ggpht.com | Computer | Microsoft Corporation
  Windows 10 | windows nt 6.4 & windows nt 10
  Windows 8.1 | windows nt 6.3
  Windows 8 | windows nt 6.2 | xbox
  Windows 7 | windows nt 6.1 | xbox
  Windows Vista | windows nt 6 | xbox
  Windows 2000 | windows nt 5.0
  Windows XP | windows nt 5 | ggpht.com
  Windows 10 Mobile | windows phone 10 | | Mobile
  Windows Phone 8.1 | windows phone 8.1 | | Mobile
  Windows Phone 8 | windows phone 8 | | Mobile
  Windows Phone 7 | windows phone os 7 | | Mobile
  Windows Mobile | windows ce | | Mobile
  Windows 98 | windows 98 & win98 | palm
  Xbox OS | xbox | | Game console
Android | android | ubuntu | Mobile | Google Inc.
  Android 8.x | android 8 & android-8 | glass
    Android 8.x Tablet | android 8 & android-8 | mobile & glass | Tablet
  Android 7.x | android 7 & android-7 | glass
    Android 7.x Tablet | android 7 & android-7 | mobile & glass | Tablet
  Android 6.x | android 6 & android-6 | glass
    Android 6.x Tablet | android 6 & android-6 | mobile & glass | Tablet
  Android 5.x | android 5 & android-5 | glass
    Android 5.x Tablet | android 5 & android-5 | mobile & glass | Tablet
  Android 4.x | android 4 & android-4 | glass & ubuntu
    Android 4.x Tablet | android 4 & android-4 | mobile & glass & ubuntu | Tablet
  Android 4.x | android 4 | ubuntu | Wearable computer
  Android 3.x Tablet | android 3 | | Tablet
  Android 2.x | android 2
    Android 2.x Tablet | kindle fire & gt-p1000 & sch-i800 | | Tablet
  Android 1.x | android 1
  Android Mobile | mobile | ubuntu
  Android Tablet | tablet | | Tablet
Chrome OS | cros | | Computer | Google Inc.
WebOS | webos | | Mobile | Hewlett Packard
PalmOS | palm | | Mobile | Hewlett Packard
MeeGo | meego | | Mobile | Nokia Corporation
iOS | iphone & like mac os x | | Mobile | Apple Inc.
  iOS 11 (iPhone) | iphone os 11
  iOS 10 (iPhone) | iphone os 10
  iOS 9 (iPhone) | iphone os 9
  iOS 8.4 (iPhone) | iphone os 8_4
  iOS 8.3 (iPhone) | iphone os 8_3
  iOS 8.2 (iPhone) | iphone os 8_2
  iOS 8.1 (iPhone) | iphone os 8_1
  iOS 8 (iPhone) | iphone os 8
  iOS 7 (iPhone) | iphone os 7
  iOS 6 (iPhone) | iphone os 6
  iOS 5 (iPhone) | iphone os 5
  iOS 4 (iPhone) | iphone os 4
  Mac OS X (iPad) | ipad | | Tablet
    iOS 11 (iPad) | os 11
    iOS 10 (iPad) | os 10
    iOS 9 (iPad) | os 9
    iOS 8.4 (iPad) | os 8_4
    iOS 8.3 (iPad) | os 8_3
    iOS 8.2 (iPad) | os 8_2
    iOS 8.1 (iPad) | os 8_1
    iOS 8 (iPad) | os 8_0
    iOS 7 (iPad) | os 7
    iOS 6 (iPad) | os 6
  Mac OS X (iPhone) | iphone
  Mac OS X (iPod) | ipod
Mac OS X | mac os x & cfnetwork | | Computer | Apple Inc.
Mac OS | mac | | Computer | Apple Inc.
Maemo | maemo | | Mobile | Nokia Corporation
Bada | bada | | Mobile | Samsung Electronics
Android (Google TV) | googletv | | Digital media receiver | Google Inc.
Tizen | tizen | | Unknown | Linux Foundation
  Tizen 3 | tizen 3.
    Tizen 3 (Mobile) | mobile | | Mobile
    Tizen 3 (SmartTV) | smart-tv & ~tv~ | | Digital media receiver
  Tizen 2 | tizen 2.
    Tizen 2 (Mobile) | mobile | | Mobile
    Tizen 2 (SmartTV) | smart-tv & ~tv~ | | Digital media receiver
  Tizen (mobile) | mobile | | Mobile
Linux (Kindle) | kindle | | Tablet | Amazon.com, Inc.
  Linux (Kindle 3) | kindle/3
  Linux (Kindle 2) | kindle/2
Linux | linux & camelhttpstream | | Computer | Other
  Ubuntu | ubuntu | |  | Canonical Ltd.
    Ubuntu Touch (mobile) | mobile | | Mobile
  Linux (SmartTV) | smarttv | | Digital media receiver
Symbian OS | symbian & series60 | | Mobile | Symbian Ltd.
  Symbian OS 9.x | symbianos/9 & series60/3
  Symbian OS 8.x | symbianos/8 & series60/2.6 & series60/2.8
  Symbian OS 7.x | symbianos/7
  Symbian OS 6.x | symbianos/6
Series 40 | nokia6300 | | Mobile | Nokia Corporation
Sony Ericsson | sonyericsson | | Mobile | Sony Ericsson Mobile Communications AB
SunOS | sunos | | Computer | Sun Microsystems, Inc.
Sony Playstation | playstation | | Game console | Sony Computer Entertainment, Inc.
Nintendo Wii | wii | | Game console | Nintendo
BlackBerryOS | blackberry | | Mobile | Research In Motion Limited
  BlackBerry 7..6 | version/{}
BlackBerry Tablet OS | rim tablet os | | Tablet | Research In Motion Limited
Roku OS | roku | | Digital media receiver | Roku, Inc.
Proxy | ggpht.com | | Unknown | Other
Unknown mobile | mobile | | Mobile | Other
Unknown tablet | tablet | | Tablet | Other
"""
"""Kind is ``dvce_type``, maker ``os_manufacturer``."""

_LONG = r"([0-9]+\.?(?:\w+)?(?:\.\w+)?(?:\.\w+)?)"
_SHORT = r"([0-9]+\.?(?:\w+)?(?:\.\w+)?)"
_DOTTED = r"([0-9]+\.(?:\w+)?(?:\.\w+)?(?:\.\w+)?)"
_ANY = r"[^\n\r\x85\u2028\u2029]"
_TWO = r"([0-9]+\.\w+)"

VERSIONS = {
    "outlook": r"MSOffice ([0-9]+)",
    "msie": rf"MSIE {_TWO}",
    "trident": rf"(?:Trident/7|IE)(?:\.[0-9]*;)?(?:{_ANY}*rv:| )([0-9]+\.?[0-9]+)",
    "edge": r"Edge/([0-9]+\.[0-9]*)",
    "chrome": rf"Chrome/{_LONG}",
    "chrome mobile": rf"(?:CriOS|CrMo|Chrome)/{_LONG}",
    "firefox": rf"Firefox/{_LONG}",
    "safari": rf"Version/{_SHORT}",
    "silk": r"Silk/([0-9]+\.?(?:\w+)?(?:\.\w+)?(?:-\w+)?)",
    "coast": rf"Coast/{_DOTTED}",
    "opera": r"ope?ra?/([0-9]+\.\w+(?:\.\w+)?(?:\.\w+)?)",
    "opr": rf"OPR/{_DOTTED}",
    "version": rf"Version/{_TWO}",
    "konqueror": r"Konqueror/([0-9]+\.?(?:\w+)?(?:-\w+)?)",
    "lotus notes": rf"Lotus-Notes/{_TWO}",
    "camino": rf"Camino/{_SHORT}",
    "flock": rf"Flock/{_SHORT}",
    "thunderbird": rf"Thunderbird/{_LONG}",
    "vivaldi": rf"Vivaldi/([0-9]+{_ANY}[0-9]+{_ANY}[0-9]+{_ANY}[0-9]+)",
    "seamonkey": rf"SeaMonkey/{_SHORT}",
    "cfnetwork": r"CFNetwork/([0-9]+(?:\.[0-9])?(?:\.[0-9]+)?)",
    "lynx": r"Lynx/([0-9]+\.[0-9]+\.?(?:[\w\-+]+)?\.?(?:[\w\-+]+)?)",
}
"""Where the version stands, in any case, in the user agent as sent."""

SAFARI_BUILDS = """
48:0.8 73:0.9 85:1.0 85.8.5:1.0.3 100:1.1 125:1.2 312:1.3 312.3:1.3.1 312.5:1.3.2 312.6:1.3.2 412:2.0 416.11:2.0.2
419.3:2.0.4 522.11:3.0 522.11.3:3.0 522.12:3.0.2 522.12.1:3.0.3 522.12.2:3.0.1 522.13.1:3.0.2 522.15.5:3.0.3
523.10:3.0.4 523.12.9:3.0.4 523.13:3.0.4 523.15:3.0.4 525.13:3.1 525.17:3.1.1 525.20:3.1.1 525.21:3.1.2 525.26:3.2
525.26.13:3.2 525.27:3.2.1 525.27.1:3.2.1 525.28:3.2.3 525.28.1:3.2.2 525.29.1:3.2.3 526.11.2:4.0 526.12.2:4.0
528.1.1:4.0 528.16:4.0 528.17:4.0 530.18:4.0.1 530.19:4.0.2 530.19.1:4.0.2 531.9:4.0.3 531.9.1:4.0.3 531.21.10:4.0.4
531.22.7:4.0.5 533.20.27:5.0.4 533.21.1:5.0.5 533.22.3:5.0.6 534.48.3:5.1 534.50:5.1 534.51.22:5.1.1 534.52.7:5.1.2
534.53.10:5.1.3 534.54.16:5.1.4 534.55.3:5.1.5 534.56.5:5.1.6 534.57.2:5.1.7 534.58.2:5.1.8 534.59.8:5.1.9
534.59.10:5.1.10 536.25:6.0 536.26:6.0.1 536.26.17:6.0.2 536.28.10:6.0.3 536.29.13:6.0.4 536.30.1:6.0.5
537.43.58:6.1 537.71:7.0 537.75.14:7.0.3 537.76.4:7.0.4 537.77.4:7.0.5 538.35.8:8.0 600.6.3:8.0.6 600.7.12:8.0.7
601.2.7:9.0.1 601.3.9:9.0.2 601.4.4:9.0.3 601.5.17:9.1 601.6.17:9.1.1 601.7.1:9.1.2 601.7.8:9.1.3 602.1.50:10
602.2.14:10.0.1 602.3.12:10.0.2 602.4.8:10.0.3 603.1.30:10.1 603.2.4:10.1.1 603.3.8:10.1.2
"""
"""WebKit build -> version, for a Safari that does not say its version."""

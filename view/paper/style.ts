import { hash } from 'node:crypto'

/** Every pair of text and ground is at least 4.5 to 1 (WCAG 2.2, 1.4.3), in both schemes; a test computes it. */
export const STYLE = `
:root{color-scheme:light dark;--ground:#fff;--text:#1b1f24;--dim:#57606a;--head:#f4f6f8;--line:#8c959f;--hair:#d9dee3;--good:#1a6b34;--fair:#7a5200;--bad:#a11d1d;--focus:#0550ae;--came:#dff3e4;--went:#fbe3e1}
@media (prefers-color-scheme:dark){:root{--ground:#12161b;--text:#e6e9ec;--dim:#a3adb8;--head:#1b2128;--line:#6b7682;--hair:#2d353e;--good:#6fd08c;--fair:#e5b64c;--bad:#ff9c94;--focus:#79b8ff;--came:#15351f;--went:#43201f}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:96rem;padding:1rem 1.5rem 3rem;background:var(--ground);color:var(--text);font:15px/1.55 system-ui,sans-serif}
h1{font-size:1.375rem;line-height:1.3;margin:.75rem 0 .5rem;font-weight:600;overflow-wrap:anywhere;text-wrap:pretty}
h2{font-size:1rem;margin:1.75rem 0 .5rem;font-weight:600;overflow-wrap:anywhere}
h3{font-size:.9375rem;margin:1rem 0 .25rem;font-weight:600}
p{margin:.25rem 0}
a{color:var(--focus);text-underline-offset:.15em;text-decoration-thickness:.06em}
a:hover{text-decoration-thickness:.12em}
:focus-visible{outline:2px solid var(--focus);outline-offset:2px;border-radius:2px}
.later{display:contents}
.skip{position:absolute;left:-999rem}.skip:focus{left:1rem;top:.25rem;background:var(--ground);padding:.25rem .5rem;z-index:9}
code,pre,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.8125rem}
pre{margin:.25rem 0;white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.5}
small,.dim{color:var(--dim)}
td.dim{font-style:italic}
.good{color:var(--good)}.fair{color:var(--fair)}.bad{color:var(--bad)}
.top{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;align-items:baseline;border-bottom:1px solid var(--hair);padding-bottom:.5rem;font-size:.875rem;color:var(--dim)}
.top nav{flex:1 1 16rem;min-width:0}
.top ol{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem .5rem;margin:0;padding:0}
.top li{overflow-wrap:anywhere;min-width:0}
.top li+li::before{content:"›";color:var(--dim);margin-right:.5rem}
.brand{font-weight:600;color:var(--text);text-decoration:none}
form{display:flex;flex-wrap:wrap;gap:.5rem .75rem;align-items:end;margin:.75rem 0}
.forms{display:flex;flex-wrap:wrap;gap:0 2.5rem}
.top form{margin:0}
label{display:flex;flex-direction:column;gap:.125rem;font-size:.8125rem;color:var(--dim)}
.top label{flex-direction:row;align-items:center;gap:.5rem}.top input,.top button,.tools button{padding:.0625rem .5rem;font-size:.8125rem}.paper{display:none}
input,select,button,textarea{font:inherit;font-size:.875rem;color:var(--text);background:var(--ground);border:1px solid var(--line);border-radius:4px;padding:.25rem .5rem;max-width:100%;min-width:0}
button{cursor:pointer}button:hover{background:var(--head)}
.bar{position:sticky;top:0;z-index:3;background:var(--ground);border-bottom:1px solid var(--hair);padding:.5rem 0}
.confidence{margin:0;display:flex;gap:.25rem .75rem;align-items:baseline;flex-wrap:wrap}
.confidence>span{flex:1 1 20rem;min-width:0;overflow-wrap:anywhere}
.chip{font-size:.8125rem;font-weight:600;letter-spacing:.02em;border:1px solid currentcolor;border-radius:999px;padding:0 .625rem;white-space:nowrap}
.facts.rows{display:block}.facts.rows div{padding:.125rem 0}.facts.rows dt{flex:0 0 12rem}.facts.rows dd{font-family:ui-monospace,monospace;font-size:.8125rem}
.facts{display:flex;flex-wrap:wrap;gap:.125rem 1.75rem;margin:.5rem 0}
.facts div{display:flex;gap:.5rem;min-width:0}
.facts dt{color:var(--dim)}.facts dd{margin:0;overflow-wrap:anywhere;min-width:0}
.command{font-size:.8125rem;margin:.25rem 0}.command summary{color:var(--dim)}
.command code{display:block;background:var(--head);border-radius:4px;padding:.375rem .625rem;margin:.25rem 0;overflow-wrap:anywhere}
.hash{display:inline-block;max-width:14ch;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;vertical-align:bottom;text-decoration:underline}
.pair{display:grid;grid-template-columns:minmax(0,5fr) minmax(0,3fr);gap:2rem;margin-top:1rem;align-items:start}
.pair>.beside{position:sticky;top:5.5rem;max-height:calc(100vh - 6.5rem);overflow:auto}
.scroll{overflow-x:auto;background:linear-gradient(to right,var(--ground) 2rem,transparent) 0/3rem 100% no-repeat local,linear-gradient(to left,var(--ground) 2rem,transparent) 100%/3rem 100% no-repeat local,linear-gradient(to right,var(--line),transparent) 0/.75rem 100% no-repeat scroll,linear-gradient(to left,var(--line),transparent) 100%/.75rem 100% no-repeat scroll}
table{border-collapse:collapse;font-size:.875rem;max-width:100%}
table.wide{width:100%}
caption{text-align:left;padding:.5rem 0;color:var(--dim)}
caption h1{color:var(--text)}caption p{margin:0}
caption .confidence{margin-bottom:.5rem;color:var(--text)}
th,td{padding:.4375rem 1rem .4375rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--hair)}
th{color:var(--dim);font-weight:500;white-space:nowrap;border-bottom-color:var(--line)}
tbody th{color:var(--text);border-bottom-color:var(--hair);white-space:normal}
td{overflow-wrap:break-word;max-width:60ch}
.file th,.file td{padding:.375rem .75rem}.file th{background:var(--head)}.file td{white-space:pre-wrap}
.t,time{white-space:nowrap;font-variant-numeric:tabular-nums}
.m{font:.8125rem/1.5 ui-monospace,monospace}
td details{min-width:20ch}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.any{overflow-wrap:anywhere}td.any,th.any{min-width:11ch}td.who{min-width:9rem}
figure{margin:.5rem 0}
.pick{border:0;background:none;padding:0 .25rem;font-size:.8125rem;position:relative;overflow:hidden;vertical-align:bottom}.pick::before{content:'○';color:var(--dim)}.pick[aria-pressed=true]::before{content:'◉';color:var(--focus)}.picks{margin:.25rem 0}.picks button{padding:.0625rem .5rem;font-size:.8125rem}.picks button:disabled{color:var(--dim);cursor:default}
tr[aria-current]>*{background:var(--head)}tr[aria-current]>:first-child{box-shadow:inset 3px 0 var(--focus)}
table.wide td:first-child,table.wide th:first-child{padding-left:.625rem}
summary{cursor:pointer}
td summary{max-width:44ch;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.quick p{display:inline-flex;flex-wrap:wrap;gap:.125rem .75rem;margin:0 1.5rem 0 0}.facets{display:grid;grid-template-columns:repeat(auto-fill,minmax(11rem,1fr));gap:.5rem 2rem;margin:.5rem 0 1rem;font-size:.8125rem}
.quick{display:flex;flex-wrap:wrap;gap:.125rem 1rem;font-size:.8125rem;margin:.5rem 0}.quick>span{color:var(--dim)}
.facets h2{font-size:.8125rem;color:var(--dim);margin:.25rem 0;font-weight:500}
.facets ul{list-style:none;margin:0;padding:0}
.facets li{display:flex;gap:.5rem;justify-content:space-between}
.facets li a,.facets li span:first-child{overflow-wrap:anywhere;min-width:0}
.facets span.n{color:var(--dim)}
.applied{display:flex;flex-wrap:wrap;gap:.375rem;margin:.25rem 0 .5rem;padding:0;list-style:none}
.applied a{border:1px solid var(--line);border-radius:999px;padding:.0625rem .625rem;font-size:.8125rem;text-decoration:none;color:var(--text);overflow-wrap:anywhere;display:inline-block}
ins,del{text-decoration:none;padding:0 .25em;border-radius:2px}ins{background:var(--came)}del{background:var(--went)}
ins::before,del::before{margin-right:.4em}ins::before{content:"+";color:var(--good)}del::before{content:"-";color:var(--bad)}
.left{color:var(--dim)}
.diff{width:100%;table-layout:fixed}
.diff th{overflow-wrap:anywhere;white-space:normal}
.diff col.name{width:38%}.diff col.mark{width:1.75rem}
.diff td{overflow-wrap:anywhere;max-width:none}
.diff td.mark,.diff th.mark{font-family:ui-monospace,monospace;padding-right:.5rem;white-space:nowrap}
.gap td{color:var(--bad);border-top:2px dashed var(--bad);border-bottom:2px dashed var(--bad)}
.note{border-left:3px solid var(--line);padding:.25rem .75rem;margin:.5rem 0;overflow-wrap:anywhere}
.note.bad{border-color:var(--bad)}
.past{border:2px solid var(--fair);padding:.375rem .75rem;border-radius:4px;margin:.5rem 0}.past strong{color:var(--fair)}
.list{columns:22rem;column-gap:2.5rem;padding:0;list-style:none}.list li{break-inside:avoid;margin:0 0 .5rem}
.pages{display:flex;gap:1.25rem;margin:1rem 0;flex-wrap:wrap}
.tools{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;font-size:.8125rem;align-items:baseline;margin:.375rem 0 0}#narrow>summary{margin:.25rem 0;font-size:.875rem}
.strip{display:block}.scale{margin:.75rem 0 0}
.strip text{font-size:11px;fill:var(--dim)}.strip .c{fill:var(--focus)}.strip .d{fill:var(--bad)}.strip .doubt{fill:none;stroke:var(--bad)}.strip .axis{stroke:var(--hair)}
.strip a:hover .c{opacity:.7}
.hours{border-collapse:separate;border-spacing:2px;font-size:.75rem}.hours th,.hours td{padding:.125rem .25rem;border:0;text-align:right;min-width:1.75rem}.hours td{background:var(--head)}
.work{border:1px solid var(--line);padding:.5rem 1rem 1rem;margin:1rem 0}.work h2{break-after:avoid}.pen{break-before:avoid}
.work .sides{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:1.5rem}
.pen{display:flex;gap:2rem;margin-top:.75rem;color:var(--dim)}.pen span{flex:1;border-bottom:1px solid var(--line)}.pen b{width:1.125rem;height:1.125rem;border:1px solid var(--text);display:inline-block;vertical-align:-.2rem}
dialog{border:1px solid var(--line);border-radius:6px;background:var(--ground);color:var(--text);max-width:34rem;padding:1rem 1.5rem}
dialog::backdrop{background:rgb(0 0 0/.4)}
kbd{font:.8125rem ui-monospace,monospace;border:1px solid var(--line);border-radius:3px;padding:0 .375rem}
.drop{border:2px dashed var(--line);border-radius:6px;padding:1.5rem;margin:.75rem 0}
footer{margin-top:2rem;padding-top:.75rem;border-top:1px solid var(--hair);font-size:.8125rem;color:var(--dim)}
.sql{margin-bottom:1rem}
.script{display:none}.js .script{display:revert}
@media (prefers-reduced-motion:no-preference){a,button,tr{transition:background-color .12s}}
@media (max-width:60rem){table.wide .t,table.wide time,table.wide th{white-space:normal}table.wide td,table.wide th{padding-right:.75rem}.pair{grid-template-columns:minmax(0,1fr)}.pair>.beside{position:static;max-height:none}}
@media (max-width:40rem){body{padding:.75rem .875rem 2rem}main form label{flex:1 1 100%}main form input,main form textarea{width:100%}.facts.rows dt{flex-basis:6rem}.tools button{padding:.125rem .375rem}.pen{flex-wrap:wrap}.bar{position:static}
table.wide,table.wide tbody,table.wide tr,table.wide td,table.wide tbody th{display:block;width:auto;max-width:none}
table.wide caption{display:block}
table.wide thead{position:absolute;left:-999rem}
table.wide tr{border-bottom:1px solid var(--line);padding:.5rem 0}table.wide td,table.wide tbody th{border:0;padding:.0625rem 0 .0625rem .625rem;text-align:left;overflow-wrap:anywhere;white-space:normal}
table.wide td[data-label]::before{content:attr(data-label)": ";color:var(--dim)}
.work .sides{grid-template-columns:minmax(0,1fr)}.list{columns:1}
.t,time{white-space:normal}td details{min-width:0}}
@page{size:landscape;margin:12mm}
@media print{body{padding:0;max-width:none;font-size:9.5pt}.scroll{overflow:visible}thead{display:table-header-group}tr{break-inside:avoid}
.hash{max-width:none;white-space:normal;overflow-wrap:anywhere}.scroll{background:none}.noprint,.drop,.skip,form,dialog,button{display:none!important}.paper{display:revert}.bar{position:static}.pair{display:block}.pair>.beside{position:static;max-height:none;overflow:visible}
details::details-content{content-visibility:visible;display:block;height:auto}td summary{white-space:normal;overflow:visible}
td,th,table.wide td{overflow-wrap:anywhere;max-width:none;white-space:normal;font-size:8pt;padding-right:.75rem}.work .sides{display:block}
table.wide:not(.broken) :is(td,th):not(.any,.long){overflow-wrap:break-word}
.broken,.broken tbody,.broken caption{display:block}.broken thead{position:absolute;left:-999rem}.broken tr{display:flex;flex-wrap:wrap;gap:0 1.25rem;padding:.375rem 0;border-bottom:1px solid var(--line);break-inside:auto}.broken td,table.broken td:first-child{border:0;padding:0;text-align:left}.broken td::before{content:attr(data-label)": ";color:var(--dim)}
a{color:inherit;text-decoration:none}.t,time{white-space:normal}pre{white-space:pre-wrap}}
`

/** What a policy names the style by. */
export const STYLE_HASH = hash('sha256', STYLE, 'base64')

"""How the page of a comparison looks: light and dark by the reader's wish, on any width, without scripts."""

__all__ = ["COLOURS", "STYLE"]

COLOURS = 8
"""Colours for models; further ones begin again."""

STYLE = """
:root{color-scheme:light dark;--ground:#f6f6f3;--panel:#fff;--ink:#1b1d21;--soft:#5f646d;--line:#e1e1db;
--photo:#8a8f98;--c0:#2563eb;--c1:#d9480f;--c2:#0b8a5f;--c3:#9333ea;--c4:#b4860b;--c5:#be185d;--c6:#0e7490;
--c7:#4d7c0f}
@media(prefers-color-scheme:dark){:root{--ground:#131417;--panel:#1c1e22;--ink:#eceef1;--soft:#9aa1ac;
--line:#30333a;--photo:#8a919d;--c0:#7aa7ff;--c1:#ff9a62;--c2:#4fd1a1;--c3:#c79bff;--c4:#e8c04f;--c5:#ff86b4;
--c6:#5cc9de;--c7:#a9d264}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",
Roboto,"Helvetica Neue",sans-serif;-webkit-text-size-adjust:100%}
main{max-width:76rem;margin:0 auto;padding:2rem 1rem 4rem}
h1{font-size:clamp(1.5rem,4vw,2.1rem);line-height:1.2;margin:0 0 .4rem;letter-spacing:-.01em}
h2{font-size:1.25rem;margin:2.6rem 0 .9rem}
h3{font-size:1rem;margin:0}
p{margin:.3rem 0}
.soft,figcaption,.meaning{color:var(--soft)}
.meaning{font-size:.86rem;margin:.1rem 0 .7rem}
.legend{display:flex;flex-wrap:wrap;gap:.4rem 1.2rem;padding:0;margin:1rem 0 0;list-style:none}
.legend li{display:flex;align-items:center;gap:.45rem}
.key{width:.8rem;height:.8rem;border-radius:50%;flex:none;background:var(--c)}
.key.photo{border-radius:1px;width:.2rem;height:1rem;background:var(--photo)}
.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,21rem),1fr));gap:1rem}
.panel{background:var(--panel);border:1px solid var(--line);border-radius:.8rem;padding:1rem 1.1rem;
min-width:0}
.row{display:grid;grid-template-columns:minmax(0,1fr) auto;gap:0 .8rem;font-size:.9rem;margin-top:.5rem}
.row .name{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.row .value{font-variant-numeric:tabular-nums;font-weight:600;text-align:right}
.row .value small{font-weight:400;color:var(--soft)}
.track{grid-column:1/-1;position:relative;height:1rem}
.track::before{content:"";position:absolute;left:0;right:0;top:50%;height:1px;background:var(--line)}
.range{position:absolute;top:calc(50% - .2rem);height:.4rem;min-width:2px;border-radius:.2rem;
background:var(--c);opacity:.35}
.dot{position:absolute;top:50%;width:.7rem;height:.7rem;margin:-.35rem 0 0 -.35rem;border-radius:50%;
background:var(--c)}
.mark{position:absolute;top:0;bottom:0;width:.2rem;margin-left:-.1rem;border-radius:1px;background:var(--photo)}
.none{color:var(--soft);font-size:.85rem;grid-column:1/-1}
figure{margin:0}
.sentence{margin-top:1.4rem}
.sentence>p{font-weight:600}
.strips{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,22rem),1fr));gap:.8rem;margin-top:.4rem}
.strip{width:100%;border-radius:.4rem;background-repeat:no-repeat;background-color:var(--line)}
figcaption{font-size:.83rem;display:flex;align-items:center;gap:.4rem;margin-top:.25rem}
figcaption .key{width:.6rem;height:.6rem}
svg{display:block;width:100%;height:auto;overflow:visible}
svg text{fill:var(--soft);font:12px system-ui,sans-serif}
svg .axis{stroke:var(--line);stroke-width:1}
svg polyline{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round}
svg circle{fill:var(--c)}
.scroll{overflow-x:auto;background:var(--panel);border:1px solid var(--line);border-radius:.8rem}
table{border-collapse:collapse;width:100%;font-size:.88rem;font-variant-numeric:tabular-nums}
th,td{padding:.45rem .9rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line)}
th:first-child,td:first-child{text-align:left}
tr:last-child>*{border-bottom:0}
td small{color:var(--soft)}
details{margin-top:1rem}
summary{cursor:pointer;color:var(--soft)}
dl{display:grid;grid-template-columns:minmax(8rem,auto) minmax(0,1fr);gap:.15rem 1rem;font-size:.85rem}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
.c0{--c:var(--c0)}.c1{--c:var(--c1)}.c2{--c:var(--c2)}.c3{--c:var(--c3)}
.c4{--c:var(--c4)}.c5{--c:var(--c5)}.c6{--c:var(--c6)}.c7{--c:var(--c7)}
@media print{body{background:#fff}.panel,.sentence{break-inside:avoid}}
"""

/** The look of the report: light or dark as the reader's system says, and black on white on paper. */
export const style = `
:root{color-scheme:light dark;--paper:#fff;--card:#f6f7f9;--ink:#14181f;--soft:#5b6472;--rule:#dfe3e8;--was:#c0392b;--saved:#1a7f5a;--more:#c0392b;--left:#33557f;--alone:#1a7f5a33;
--p0:#33557f;--p1:#3f9b8f;--p2:#c98a1b;--p3:#8a5a1b;--p4:#7a4f9e;--p5:#8a8f98}
@media (prefers-color-scheme:dark){:root{--paper:#12151b;--card:#1b2029;--ink:#e8ebf0;--soft:#9aa4b2;--rule:#313947;--was:#ef7f72;--saved:#54c79a;--more:#ef7f72;--left:#8fb3e0;--alone:#54c79a33;
--p0:#8fb3e0;--p1:#6fcabd;--p2:#e3b45c;--p3:#b98a52;--p4:#b492d6;--p5:#8a94a3}}
@media print{:root{--paper:#fff;--card:#fff;--ink:#000;--soft:#444}details{display:block}details::details-content{content-visibility:visible;block-size:auto}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.55 system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif}
main{max-width:880px;margin:0 auto;padding:32px 24px 64px}h1{font-size:26px;line-height:1.25;margin:0 0 4px}h2{font-size:18px;margin:40px 0 10px}h3{font-size:15px;margin:0}
p{margin:0 0 10px}.soft{color:var(--soft)}.figures{display:flex;flex-wrap:wrap;gap:12px;margin:20px 0 8px;padding:0;list-style:none}
.figures li{flex:1 1 180px;background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:12px 16px}.figures b{display:block;font-size:24px;line-height:1.2;font-variant-numeric:tabular-nums}
.narrow{display:none}@media screen and (max-width:640px){.wide{display:none}.narrow{display:block}main{padding:20px 16px 48px}summary{flex-wrap:wrap}}
svg{display:block;width:100%;height:auto;margin:6px 0}svg text{fill:var(--ink);font-size:13px}svg .tick{fill:var(--soft);font-size:12px}svg .amount{font-variant-numeric:tabular-nums;font-weight:600}
.cost,.was{fill:var(--was)}.saved{fill:var(--saved)}.more{fill:var(--more)}.left{fill:var(--left)}.alone{fill:var(--alone);stroke:var(--saved);stroke-width:.8}.range{stroke:var(--ink);stroke-width:1.4;fill:none}.part{fill:var(--paper);stroke:var(--left);stroke-width:2.2}
.grid{stroke:var(--rule)}.area{opacity:.16;stroke:none}.line{fill:none;stroke-width:2}.line.was{stroke:var(--was)}.line.with{stroke:var(--saved)}.area.with{fill:var(--saved)}
.part-0{fill:var(--p0);background:var(--p0)}.part-1{fill:var(--p1);background:var(--p1)}.part-2{fill:var(--p2);background:var(--p2)}.part-3{fill:var(--p3);background:var(--p3)}.part-4{fill:var(--p4);background:var(--p4)}.part-5{fill:var(--p5);background:var(--p5)}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;list-style:none;padding:0;margin:6px 0;color:var(--soft);font-size:13px}.legend b{color:var(--ink)}.key{display:inline-block;width:11px;height:11px;border-radius:2px;margin-right:6px}
.key.was{background:var(--was)}.key.with,.key.saves{background:var(--saved)}.key.alone{background:var(--alone);border:1px solid var(--saved)}.key.ring{border:2px solid var(--left);border-radius:50%}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}th,td{padding:6px 10px;border-bottom:1px solid var(--rule);text-align:left;vertical-align:top}th{color:var(--soft);font-weight:600}.n{text-align:right;white-space:nowrap}
details{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:10px 16px;margin:10px 0}summary{cursor:pointer;display:flex;gap:12px;justify-content:space-between;align-items:baseline}summary:focus-visible{outline:2px solid var(--left);outline-offset:4px}
dl{display:grid;grid-template-columns:minmax(90px,max-content) 1fr;gap:4px 16px;margin:12px 0}dt{color:var(--soft)}dd{margin:0}pre{background:var(--paper);border:1px solid var(--rule);border-radius:8px;padding:10px 12px;overflow-x:auto;font:13px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.tag{display:inline-block;border:1px solid var(--rule);border-radius:99px;padding:0 9px;font-size:12px;color:var(--soft);white-space:nowrap}.notes{padding-left:20px}.notes li{margin:0 0 8px}
`.trim()

/// The style sheet: light, one accent colour, tables that can be read and printed.
enum Stylesheet {
    static let text = """
        :root { --accent: #0b5fa5; --line: #d9dee3; --soft: #f4f6f8; --text: #1d2329; --quiet: #5a6570; }
        * { box-sizing: border-box; }
        body { margin: 0; color: var(--text); background: #fff; line-height: 1.5;
          font-family: system-ui, "Noto Sans SC", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; font-size: 15px; }
        header { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: center; padding: .7rem 1.5rem;
          border-bottom: 2px solid var(--accent); }
        header form { display: inline; }
        .brand { font-weight: 700; color: var(--accent); text-decoration: none; }
        nav { display: flex; gap: 1.1rem; }
        .right { margin-left: auto; display: flex; gap: 1rem; align-items: center; color: var(--quiet); }
        a { color: var(--accent); }
        main { max-width: 72rem; margin: 0 auto; padding: 1rem 1.5rem 4rem; }
        h1 { font-size: 1.6rem; margin: .8rem 0; } h2 { font-size: 1.15rem; margin: 1.8rem 0 .5rem; }
        table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
        th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
        thead th { background: var(--soft); font-weight: 600; } tfoot td { font-weight: 700; }
        th.n, td.n { text-align: right; white-space: nowrap; }
        code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .85em; overflow-wrap: anywhere; }
        .tiles { list-style: none; display: flex; flex-wrap: wrap; gap: .8rem; padding: 0; }
        .tiles li { border: 1px solid var(--line); border-radius: 6px; padding: .6rem 1rem; min-width: 8rem; }
        .tiles b { display: block; font-size: 1.25rem; font-variant-numeric: tabular-nums; }
        .tiles span, .note, .who { color: var(--quiet); }
        .alarm { border-left: 4px solid #b3261e; background: #fdf1f0; padding: .5rem .8rem; }
        .good { border-left: 4px solid #2e7d32; background: #f1f8f1; padding: .5rem .8rem; }
        button { font: inherit; padding: .25rem .9rem; border: 1px solid var(--accent); border-radius: 4px;
          background: #fff; color: var(--accent); cursor: pointer; }
        button:hover, button:focus-visible { background: var(--accent); color: #fff; }
        input { font: inherit; padding: .25rem .4rem; border: 1px solid #97a1ab; border-radius: 4px; }
        .login { display: grid; gap: 1rem; max-width: 26rem; } .login input { width: 100%; }
        .plot { width: 100%; max-width: 45rem; height: auto; display: block; margin: 1rem 0; }
        .plot .bar { fill: var(--accent); } .plot .grid { stroke: var(--line); }
        .plot .axis { font-size: 11px; fill: var(--quiet); }
        progress { accent-color: var(--accent); width: 7rem; }
        @media print { header, .noprint { display: none; } main { padding: 0; max-width: none; } body { font-size: 11pt; }
          thead { display: table-header-group; } tr, .plot { break-inside: avoid; } }
        """
}

/// The pages as Mustache templates: `{{…}}` is escaped; `{{{…}}}` stands only where this room made the markup itself.
enum Templates {
    static let all: [(name: String, text: String)] = [
        ("frame", frame), ("login", login), ("error", error), ("overview", overview), ("batches", batches),
        ("batch", batch), ("bad", bad), ("badTable", badTable), ("merchants", merchants), ("statement", statement),
        ("sums", sums), ("ledger", ledger),
    ]

    private static let frame = """
        <!DOCTYPE html>
        <html lang="{{tag}}">
        <head>
        <meta charset="utf-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <title>{{title}} · {{t.product}}</title>
        <link rel="stylesheet" href="/style.css"/>
        </head>
        <body>
        <header>
        <a class="brand" href="/">{{t.product}}</a>
        {{#staff}}
        <nav><a href="/batches">{{t.batches}}</a><a href="/bad">{{t.bad}}</a><a href="/merchants">{{t.merchants}}</a><a href="/ledger">{{t.ledger}}</a></nav>
        {{/staff}}
        <span class="right"><a href="?lang={{other}}" hreflang="{{other}}">{{otherName}}</a>
        {{#staff}}<span>{{name}} ({{role}})</span>
        <form method="post" action="/logout"><button>{{t.logout}}</button></form>{{/staff}}</span>
        </header>
        <main>
        <h1>{{title}}</h1>
        {{{content}}}
        </main>
        </body>
        </html>

        """

    private static let login = """
        {{#refused}}<p class="alarm">{{t.loginRefused}}</p>{{/refused}}
        <form class="login" method="post" action="/login">
        <label>{{t.token}} <input type="password" name="token" maxlength="80" autocomplete="off" required="required"/></label>
        <button>{{t.login}}</button>
        </form>
        """

    private static let error = """
        <p class="alarm">{{status}}: {{detail}}</p>
        """

    private static let overview = """
        <ul class="tiles">
        <li><b>{{posted}}</b><span>{{t.posted}}</span></li>
        <li><b>{{takings}}</b><span>{{t.gross}}</span></li>
        <li><b>{{suspended}}</b><span>{{t.suspended}}</span></li>
        <li><b>{{rejected}}</b><span>{{t.rejected}}</span></li>
        <li><b>{{merchants}}</b><span>{{t.merchants}}</span></li>
        <li><b>{{terminals}}</b><span>{{t.terminals}}</span></li>
        </ul>
        <p>{{#completeUntil}}{{t.completeUntil}}: <b>{{completeUntil}}</b>{{/completeUntil}}
        {{^completeUntil}}{{t.notComplete}}{{/completeUntil}}</p>
        <h2>{{t.waits}}</h2>
        {{^waits}}<p>{{t.nothingWaits}}</p>{{/waits}}
        {{#hasWaits}}<table><thead><tr><th>{{t.batch}}</th><th>{{t.state}}</th><th>{{t.problem}}</th>
        <th class="n">{{t.records}}</th></tr></thead><tbody>
        {{#waits}}<tr><td><a href="/batches/{{id}}"><code>{{short}}</code></a></td><td>{{state}}</td>
        <td>{{problem}}</td><td class="n">{{lines}}</td></tr>
        {{/waits}}</tbody></table>{{/hasWaits}}
        """

    private static let batches = """
        {{^batches}}<p>{{t.nothing}}</p>{{/batches}}
        <table><thead><tr><th>{{t.batch}}</th><th>{{t.received}}</th><th>{{t.by}}</th><th>{{t.state}}</th>
        <th>{{t.progress}}</th><th class="n">{{t.records}}</th><th class="n">{{t.posted}}</th>
        <th class="n">{{t.suspended}}</th><th class="n">{{t.rejected}}</th></tr></thead><tbody>
        {{#batches}}<tr><td><a href="/batches/{{id}}"><code>{{short}}</code></a></td><td>{{received}}</td>
        <td>{{by}}</td><td>{{state}}</td><td><progress max="{{lines}}" value="{{done}}">{{done}}</progress></td>
        <td class="n">{{lines}}</td><td class="n">{{posted}}</td><td class="n">{{suspended}}</td>
        <td class="n">{{rejected}}</td></tr>
        {{/batches}}</tbody></table>
        """

    private static let batch = """
        {{#batch}}
        <p><code>{{id}}</code></p>
        <ul class="tiles">
        <li><b>{{state}}</b><span>{{t.state}}</span></li>
        <li><b>{{lines}}</b><span>{{t.records}}</span></li>
        <li><b>{{verified}}</b><span>{{t.checked}}</span></li>
        <li><b>{{posted}}</b><span>{{t.posted}}</span></li>
        <li><b>{{suspended}}</b><span>{{t.suspended}}</span></li>
        <li><b>{{rejected}}</b><span>{{t.rejected}}</span></li>
        </ul>
        {{#problem}}<p class="alarm">{{problem}}</p>{{/problem}}
        {{#unfinished}}<form method="post" action="/batches/{{id}}/continue"><button>{{t.continue}}</button></form>{{/unfinished}}
        <h2>{{t.bad}}</h2>
        <p class="noprint"><a href="/v1/batches/{{id}}/bad.csv">{{t.download}}</a></p>
        {{/batch}}
        {{> badTable}}
        """

    private static let bad = """
        {{> badTable}}
        """

    private static let badTable = """
        {{^bad}}<p>{{t.nothing}}</p>{{/bad}}
        {{#hasBad}}<table><thead><tr><th class="n">{{t.line}}</th><th>{{t.fault}}</th><th>{{t.detail}}</th>
        <th>{{t.record}}</th></tr></thead><tbody>
        {{#bad}}<tr><td class="n"><a href="/batches/{{batch}}">{{line}}</a></td><td>{{fault}}</td><td>{{detail}}</td>
        <td><code>{{record}}</code></td></tr>
        {{/bad}}</tbody></table>{{/hasBad}}
        """

    private static let merchants = """
        {{^merchants}}<p>{{t.nothing}}</p>{{/merchants}}
        <table><thead><tr><th>{{t.number}}</th><th>{{t.name}}</th><th class="n">{{t.rate}}</th>
        <th class="n">{{t.terminals}}</th><th class="n">{{t.payable}}</th><th></th></tr></thead><tbody>
        {{#merchants}}<tr><td>{{number}}</td><td>{{name}}</td><td class="n">{{rate}}</td>
        <td class="n">{{terminals}}</td><td class="n">{{payable}}</td>
        <td><a href="/merchants/{{number}}/statement">{{t.statement}}</a></td></tr>
        {{/merchants}}</tbody></table>
        """

    private static let statement = """
        <p class="who"><b>{{name}}</b> ({{number}}) · {{t.rate}} {{rate}} · {{from}} – {{to}}</p>
        <p>{{#completeUntil}}{{t.completeUntil}}: <b>{{completeUntil}}</b>{{/completeUntil}}
        {{^completeUntil}}<b>{{t.notComplete}}</b>{{/completeUntil}}</p>
        <form class="noprint" method="get" action=""><label>{{t.from}} <input type="date" name="from" value="{{from}}"/></label>
        <label>{{t.to}} <input type="date" name="to" value="{{to}}"/></label> <button>{{t.show}}</button>
        <a href="/v1/merchants/{{number}}/statement.csv?from={{from}}&amp;to={{to}}">{{t.download}}</a></form>
        <ul class="tiles">
        {{#total}}<li><b>{{records}}</b><span>{{t.records}}</span></li>
        <li><b>{{gross}}</b><span>{{t.gross}}</span></li><li><b>{{fee}}</b><span>{{t.fee}}</span></li>
        <li><b>{{net}}</b><span>{{t.net}}</span></li>{{/total}}
        </ul>
        {{{plot}}}
        {{#groups}}<h2>{{heading}}</h2>
        <table><thead><tr><th>{{key}}</th>{{> sums}}</tr></thead><tbody>
        {{#rows}}<tr><td>{{label}}</td><td class="n">{{records}}</td><td class="n">{{gross}}</td>
        <td class="n">{{fee}}</td><td class="n">{{net}}</td></tr>
        {{/rows}}</tbody><tfoot>{{#total}}<tr><td>{{t.total}}</td><td class="n">{{records}}</td>
        <td class="n">{{gross}}</td><td class="n">{{fee}}</td>
        <td class="n">{{net}}</td></tr>{{/total}}</tfoot></table>
        {{/groups}}
        <h2>{{t.terminals}}</h2>
        <table><thead><tr><th>{{t.terminal}}</th><th>{{t.lastRecord}}</th><th class="n">{{t.missing}}</th></tr></thead><tbody>
        {{#terminals}}<tr><td>{{terminal}}</td><td>{{last}}</td><td class="n">{{missing}}</td></tr>
        {{/terminals}}</tbody></table>
        <p>{{t.held}}: {{#held}}{{records}} · {{gross}}{{/held}}</p>
        <p class="note">{{t.source}} {{t.rounding}}</p>
        """

    private static let sums = """
        <th class="n">{{t.records}}</th><th class="n">{{t.gross}}</th><th class="n">{{t.fee}}</th><th class="n">{{t.net}}</th>
        """

    private static let ledger = """
        {{#right}}<p class="good">{{t.ledgerRight}}</p>{{/right}}
        {{^right}}<p class="alarm">{{t.ledgerWrong}}</p><ul>{{#findings}}<li>{{.}}</li>{{/findings}}</ul>{{/right}}
        <ul class="tiles">
        <li><b>{{postings}}</b><span>{{t.postings}}</span></li>
        <li><b>{{entries}}</b><span>{{t.entries}}</span></li>
        <li><b>{{debits}}</b><span>{{t.debits}}</span></li>
        <li><b>{{credits}}</b><span>{{t.credits}}</span></li>
        </ul>
        <table><thead><tr><th>{{t.account}}</th><th class="n">{{t.balance}}</th></tr></thead><tbody>
        {{#accounts}}<tr><td>{{account}}</td><td class="n">{{balance}}</td></tr>
        {{/accounts}}</tbody></table>
        <p class="noprint"><a href="/v1/ledger.journal">{{t.journal}}</a></p>
        """
}

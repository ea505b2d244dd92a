import ArgumentParser
import Glibc

/// `kmsd top`: the service at work, drawn again each second.
struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Watch the running service: commands, latency, clients, keys, the module's queue.",
        discussion: """
            Reads /metrics once a second; a rate is what came between two readings. q or Ctrl-C ends it. Without a terminal the
            screen is printed each second, plain. Exit status 2 where the service cannot be reached at the start.
            """)
    @OptionGroup var common: CommonOptions
    @OptionGroup var service: OperationOptions
    @Flag(help: "Print one screen and end.")
    var once = false

    func run() async throws {
        let client = try await service.client(common)
        var last: Reading
        do throws(OperationClient.Unreachable) { last = try await Reading.take(client) } catch {
            Terminal.complain(error.reason)
            throw ExitCode(2)
        }
        let place = String(client.base.drop { $0 != "/" }.drop { $0 == "/" })
        guard !once, let terminal = LiveTerminal.open() else { return try await plain(client, last, place) }
        var lines = ["kmsd top \(place)   reading…"]
        repeat {
            terminal.draw(lines)
            if await terminal.isLeft(within: 1_000) { return }
            let size = LiveTerminal.size
            do throws(OperationClient.Unreachable) {
                let next = try await Reading.take(client)
                lines = next.screen(since: last, place, size)
                last = next
            } catch {
                lines = ["kmsd top \(place)", "", error.reason]
            }
        } while true
    }

    /// For a pipe or `--once`: whole screens, one after the other.
    private func plain(_ client: OperationClient, _ first: Reading, _ place: String) async throws {
        var last = first
        repeat {
            try await Task.sleep(for: .seconds(1))
            do throws(OperationClient.Unreachable) {
                let next = try await Reading.take(client)
                let size = once ? (width: 100, height: 60) : (width: 80, height: 24)
                next.screen(since: last, place, size).forEach { Terminal.say($0) }
                last = next
            } catch {
                Terminal.complain(error.reason)
                if once { throw ExitCode(2) }
            }
            if !once { Terminal.say("") }
        } while !once
    }

    private struct Reading {
        let scrape: MetricsScrape
        let time: ContinuousClock.Instant

        static func take(_ client: OperationClient) async throws(OperationClient.Unreachable) -> Reading {
            let scrape = try await client.metrics()
            return Reading(scrape: scrape, time: .now)
        }

        func screen(since last: Reading, _ place: String, _ size: (width: Int, height: Int)) -> [String] {
            let passed = time - last.time
            let seconds = Double(passed.components.seconds) + Double(passed.components.attoseconds) / 1e18
            return TopScreen(before: last.scrape, after: scrape, seconds: seconds)
                .lines(width: size.width, height: size.height, place: place)
        }
    }
}

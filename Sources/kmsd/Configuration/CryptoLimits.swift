import Configuration
import CryptoService

/// The limits of the crypto service that are about load, and who may read its figures. Zero in the file: off.
struct CryptoLimits: Sendable {
    private var frameLimit = 65_535
    private var firstByteSeconds = 0
    private var idleSeconds = 0
    private var requestSeconds = 30
    private var inFlightLimit = 256
    private var moduleQueueLimit = 65_536
    private var moduleSeconds = 10
    private var stopSeconds = 5
    private var metricsFrom: [String] = []

    init() {}

    init(_ config: ConfigReader) throws(Settings.Fault) {
        func number(_ name: String, _ usual: Int, _ range: ClosedRange<Int>) throws(Settings.Fault) -> Int {
            let value = config.int(forKey: ConfigKey("crypto.\(name)"), default: usual)
            guard range.contains(value) else {
                throw .invalid("crypto.\(name)", "\(range.lowerBound) to \(range.upperBound)")
            }
            return value
        }
        frameLimit = try number("frameLimit", frameLimit, 64...65_535)
        firstByteSeconds = try number("firstByteSeconds", firstByteSeconds, 0...86_400)
        idleSeconds = try number("idleSeconds", idleSeconds, 0...86_400)
        requestSeconds = try number("requestSeconds", requestSeconds, 1...86_400)
        inFlightLimit = try number("inFlightLimit", inFlightLimit, 1...65_536)
        moduleQueueLimit = try number("moduleQueueLimit", moduleQueueLimit, 1...1_000_000)
        moduleSeconds = try number("moduleSeconds", moduleSeconds, 1...600)
        stopSeconds = try number("stopSeconds", stopSeconds, 0...600)
        metricsFrom = config.stringArray(forKey: "crypto.metricsFrom", default: [])
    }

    func apply(to settings: inout CryptoSettings) {
        settings.frameLimit = frameLimit
        settings.firstByteSeconds = firstByteSeconds > 0 ? firstByteSeconds : nil
        settings.idleSeconds = idleSeconds > 0 ? idleSeconds : nil
        settings.requestSeconds = requestSeconds
        settings.inFlightLimit = inFlightLimit
        settings.moduleQueueLimit = moduleQueueLimit
        settings.moduleSeconds = moduleSeconds
        settings.stopSeconds = stopSeconds
        settings.metricsFrom = metricsFrom
    }
}

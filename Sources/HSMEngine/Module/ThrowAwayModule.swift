public import HSMBridge
import Synchronization

extension SoftwareModule {
    /// For tests of other rooms only: an operational module with a random LMK that exists nowhere else.
    ///
    /// No card, no ceremony, and after the process nothing that it wrapped opens again. `kmsd` never calls it.
    public convenience init(
        forTestsWithRandomLMKIn stateFolder: String, readers: ReaderAccess = .none
    ) throws(ModuleError) {
        self.init(ModuleSettings(stateFolder: stateFolder, readers: readers))
        do throws(ModuleRefusal) { try openWithRandomLMK() } catch { throw error.error }
    }

    func openWithRandomLMK() throws(ModuleRefusal) {
        let before = live.withLock { $0 }
        if before.state == .failed { throw ModuleRefusal(.failed) }
        let lmk = try primitive { () throws(PrimitiveError) in try SecureRandom.secret(count: AdminCard.componentLength)
        }
        let checkValue = try primitive { () throws(PrimitiveError) in
            try KeyCheckValue.calculate(lmk, algorithm: .aes256)
        }
        let components = (1...3).map {
            StateRecord.Component(checkValue: checkValue, cardSerial: "000000000000000\($0)")
        }
        let key = StateRecord.MasterKey(term: Ceremony.firstTerm, checkValue: checkValue, components: components)
        var record = before.record
        record.masterKey = key
        record = try nextEpoch(record)
        let keyring = try Keyring(
            lmk: lmk, term: key.term, epoch: record.epoch, openKeyLimit: settings.openKeyLimit)
        let opened = live.withLock { live in
            live.record = record
            live = LiveState(record: record)
            return live.begin(.loading(key), deadline: .max) && live.finishLoad(record, keyring: keyring)
        }
        guard opened else { throw ModuleRefusal(.internalFault) }
    }
}

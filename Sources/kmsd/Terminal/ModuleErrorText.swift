import HSMBridge

/// The border between the module's refusals and people: what happened and what to do next, in two languages.
enum ModuleErrorText {
    static func message(_ refusal: ModuleRefusal) -> String {
        let (english, chinese) = texts(refusal)
        let text = Terminal.Language.current == .chinese ? chinese : english
        return "\(text) [\(refusal.error)]"
    }

    private static func texts(_ refusal: ModuleRefusal) -> (String, String) {
        stateTexts(refusal.error) ?? keyTexts(refusal.error) ?? ceremonyTexts(refusal) ?? folderTexts(refusal.error)
    }

    private static func stateTexts(_ error: ModuleError) -> (String, String)? {
        switch error {
        case .uninitialised:
            (
                "The module has no LMK yet. Hold the key ceremony first: kmsd lmk begin generate.",
                "安全模块尚未初始化，请先举行密钥仪式：kmsd lmk begin generate。"
            )
        case .sealed:
            (
                "The module is sealed. The three custodians open it: kmsd lmk begin load.",
                "安全模块已封闭，请三位保管员打开：kmsd lmk begin load。"
            )
        case .ceremonyOpen:
            (
                "A ceremony is open. Finish or abort it first: kmsd lmk finish, kmsd lmk abort.",
                "仪式正在进行，请先完成或中止：kmsd lmk finish 或 kmsd lmk abort。"
            )
        case .failed:
            (
                "The module is out of service after a failed self-test. See kmsd module status.",
                "自检失败，安全模块停止服务。请查看 kmsd module status。"
            )
        case .busy: ("The module is busy; try again.", "安全模块忙，请稍后再试。")
        case .unavailable:
            (
                "The module does not answer. Is kmsd hsm running, and is the socket path right?",
                "安全模块无应答，请检查 kmsd hsm 是否运行、套接字路径是否正确。"
            )
        case .notPermitted:
            ("Your user id may not do this at the module (hsm.ceremonyUsers).", "当前用户无权执行此操作（hsm.ceremonyUsers）。")
        case .unknownCommand, .malformedRequest, .tooLarge:
            ("The module did not understand the request; both sides must be of one version.", "请求无效，请检查两端版本是否一致。")
        default: nil
        }
    }

    private static func keyTexts(_ error: ModuleError) -> (String, String)? {
        switch error {
        case .unknownHandle: ("The key is no longer open; present it again.", "密钥句柄已失效，请重新打开。")
        case .keyBlockMalformed: ("The key block is malformed.", "密钥块格式错误。")
        case .keyBlockAuthentication:
            ("The key block is not genuine: changed, damaged, or under another key.", "密钥块验证失败：被改动、损坏或不属于此主密钥。")
        case .keyIdentityMismatch:
            ("The key block belongs to another key: the row was moved or renamed.", "密钥块属于另一密钥：记录被移动或改名。")
        case .lmkTermUnknown: ("The key is under an LMK that is not loaded.", "密钥所属的主密钥未装载。")
        case .usageNotPermitted: ("The key's usage does not allow this.", "密钥用途不允许此操作。")
        case .modeNotPermitted: ("The key's mode of use does not allow this.", "密钥使用方式不允许此操作。")
        case .algorithmNotPermitted: ("The key's algorithm does not fit.", "密钥算法不符。")
        case .notExportable: ("The key is not exportable.", "密钥不可导出。")
        case .weakKey: ("The key is weak (all equal, equal halves, or a DES weak key) and is refused.", "弱密钥，拒绝接受。")
        case .knownVendorKey:
            ("This is a card maker's published key; it must not be used in production.", "厂商公开密钥，不得用于生产。")
        case .wrappingKeyTooWeak: ("A key may travel only under one of at least its own strength.", "保护密钥强度不足。")
        case .keyLengthInvalid: ("The key's length does not fit its algorithm.", "密钥长度不符。")
        case .checkValueMismatch: ("The check value does not match; nothing was taken over.", "校验值不符，未导入。")
        case .attributesContradict: ("The key block's header and the wanted attributes contradict.", "密钥块属性与要求不符。")
        case .tooManyKeysOpen: ("Too many keys are open in the module.", "打开的密钥过多。")
        case .dataLengthInvalid: ("The data's length is not allowed.", "数据长度错误。")
        case .parameterInvalid: ("A parameter is out of range.", "参数超出范围。")
        case .signatureInvalid: ("The signature is not genuine.", "签名无效。")
        default: nil
        }
    }

    private static func ceremonyTexts(_ refusal: ModuleRefusal) -> (String, String)? {
        switch refusal.error {
        case .ceremonyNotOpen:
            ("No ceremony is open: kmsd lmk begin generate|load.", "没有进行中的仪式：kmsd lmk begin generate|load。")
        case .ceremonyExpired: ("The ceremony ran out of time and was closed; begin again.", "仪式超时已关闭，请重新开始。")
        case .ceremonyIncomplete: ("Not all three custodians have presented their cards.", "三位保管员尚未全部出示卡片。")
        case .readerUnknown:
            ("There is no such reader: kmsd module readers lists them.", "读卡器不存在，请用 kmsd module readers 查看。")
        case .cardAbsent: ("There is no card in the reader.", "读卡器中没有卡片。")
        case .cardFault: ("The card did not answer as it should; take it out and try again.", "卡片应答异常，请取出后重试。")
        case .cardNotAdmin:
            (
                "This is not an admin card: kmsd lmk format-card makes one of a blank.",
                "不是管理员卡，请先用 kmsd lmk format-card 制作。"
            )
        case .cardBlankExpected:
            (
                "The card carries an LMK component; --discard-component destroys it.",
                "卡上已有主密钥分量；如确要销毁，请加 --discard-component。"
            )
        case .pinIncorrect:
            ("Wrong PIN; \(refusal.detail) tries are left on the card.", "PIN 错误，卡片剩余 \(refusal.detail) 次。")
        case .pinBlocked: ("The card's PIN is blocked.", "卡片 PIN 已锁死。")
        case .pinFormat: ("The PIN must be six to eight digits.", "PIN 必须为 6 至 8 位数字。")
        case .componentRepeated: ("This card or component was presented already.", "此卡片或分量已出示过。")
        case .custodianUnexpected: ("This custodian has presented a card already.", "该保管员已出示过卡片。")
        case .componentMismatch: ("The component's check value is wrong; the module stays sealed.", "分量校验值不符，模块保持封闭。")
        case .lmkMismatch: ("The three components do not form this module's LMK.", "三个分量不能合成本模块主密钥。")
        case .alreadyInitialised: ("The module has an LMK already.", "安全模块已有主密钥。")
        default: nil
        }
    }

    private static func folderTexts(_ error: ModuleError) -> (String, String) {
        switch error {
        case .stateFolderFault: ("The module's state folder cannot be read or written.", "模块状态目录读写失败。")
        case .journalUnavailable:
            ("The module's journal cannot be written, so nothing was done. Is the disk full?", "模块日志无法写入，操作未执行。磁盘是否已满？")
        case .selfTestFailed: ("A self-test failed.", "自检失败。")
        case .randomFault: ("The random source failed its health test.", "随机数源健康检测失败。")
        case .secretMemoryExhausted: ("The locked memory for keys is used up (ulimit -l).", "密钥安全内存耗尽（ulimit -l）。")
        default: ("Internal fault of the module; see its log.", "模块内部故障，请查看日志。")
        }
    }
}

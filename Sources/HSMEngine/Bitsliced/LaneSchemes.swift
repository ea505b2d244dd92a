import HSMBridge

/// A lane's key as its bytes (`DESSchedule.words`). Points to what its maker keeps alive.
@safe struct KeyWords: BitwiseCopyable {
    private let words: UnsafePointer<Block8>
    let isThreeKey: Bool

    @inline(__always)
    init(_ schedule: DESSchedule) {
        unsafe words = schedule.words
        isThreeKey = schedule.isThreeKey
    }

    /// K1, K2, K3, and the key of its TACs.
    @inline(__always)
    subscript(part: Int) -> Block8 { unsafe words[part] }

    @inline(__always)
    func isSame(as other: KeyWords) -> Bool { unsafe words == other.words }
}

// The schemes of the house over lanes: what Primitives/ does for one card, for as many as a vector has bits.
extension LaneMemory {
    /// The key's bytes in every lane.
    func spread(_ schedule: DESSchedule, to first: Int) -> LaneKeys {
        for part in 0..<3 where part < 2 || schedule.algorithm == .tripleDES3 {
            unsafe spread(schedule.words[part], to: key(first + part))
        }
        let isSingle = schedule.algorithm == .des
        let third = schedule.algorithm == .tripleDES3 ? key(first + 2) : key(first)
        return LaneKeys(first: key(first), second: key(first + 1), third: third, isSingle: isSingle)
    }

    /// One key as a DES key.
    func single(_ index: Int) -> LaneKeys {
        LaneKeys(first: key(index), second: key(index), third: key(index), isSingle: true)
    }

    /// Keys of their own, `count` of them; `isThird` where one has three parts. One key for all lanes costs less.
    @inline(__always)
    func load(_ count: Int, isSingle: Bool, _ words: (_ lane: Int) -> KeyWords) -> LaneKeys {
        let first = words(0)
        var isShared = true
        var isThird = false
        for lane in 0..<count {
            let words = words(lane)
            isShared = isShared && words.isSame(as: first)
            isThird = isThird || words.isThreeKey
        }
        for part in 0..<(isSingle ? 1 : isThird ? 3 : 2) {
            if isShared {
                spread(first[part], to: key(part))
            } else {
                fill(count) { lane in words(lane)[part] }
                loadKey(key(part))
            }
        }
        return LaneKeys(first: key(0), second: key(1), third: isThird ? key(2) : key(0), isSingle: isSingle)
    }

    /// The halves that `derive` answered as two-key TDES keys, in keys 2 and 3.
    func makeKeys(from left: LaneState, _ right: LaneState) -> LaneKeys {
        makeKey(key(2), from: left)
        makeKey(key(3), from: right)
        return LaneKeys(first: key(2), second: key(3), third: key(2), isSingle: false)
    }

    /// PBOC diversification: the halves 3DES(K, X) and 3DES(K, ~X) of each lane's key after the last level, as states 0 and 1.
    /// Keys between levels stay in planes, in keys 2 and 3. `factor` gives X of a lane at a level. At least one level.
    @inline(__always)
    func derive(
        _ count: Int, levels: Int, master: LaneKeys, _ factor: (_ lane: Int, _ level: Int) -> Block8
    ) -> (left: LaneState, right: LaneState) {
        var keys = master
        var left = state(0)
        var right = state(1)
        for level in 0..<levels {
            if level > 0 {
                keys = makeKeys(from: left, right)
                (left, right) = (state(0), state(1))
            }
            fill(count) { factor($0, level) }
            load(left)
            invert(left, into: right)
            encrypt(&left, keys)
            encrypt(&right, keys)
        }
        return (left, right)
    }

    /// CBC from zero over each lane's blocks. Lanes stand in the order of falling block counts. A lane that has ended keeps its
    /// value in state 2 while the longer ones go on.
    func chain(_ lanes: UnsafePointer<BitslicedMAC.Lane>, _ count: Int, _ keys: LaneKeys) -> LaneState {
        var state = self.state(0)
        clear(state)
        let result = self.state(2)
        var active = count
        var index = 0
        while true {
            fill(active) { lane in unsafe lanes[lane].message.block(index) }
            absorb(into: state)
            encrypt(&state, keys)
            index += 1
            var longer = active
            while unsafe longer > 0 && lanes[longer - 1].message.blocks == index { longer -= 1 }
            if longer == 0, active == count { return state }
            if longer < active { take(state, into: result, lanes: longer..<active) }
            if longer == 0 { return result }
            active = longer
        }
    }
}

import HSMBridge

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

    /// Keys of their own: `words` gives K1, K2, K3 of a lane. Without a `third`, K3 is K1.
    @inline(__always)
    func load(
        _ count: Int, to first: Int, isSingle: Bool = false, third: Bool = false,
        _ words: (Int) -> UnsafePointer<Block8>
    ) -> LaneKeys {
        for part in 0..<(isSingle ? 1 : third ? 3 : 2) {
            fill(count) { lane in unsafe words(lane)[part] }
            loadKey(key(first + part))
        }
        return LaneKeys(
            first: key(first), second: key(first + 1), third: third ? key(first + 2) : key(first), isSingle: isSingle)
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
                makeKey(key(2), from: left)
                makeKey(key(3), from: right)
                keys = LaneKeys(first: key(2), second: key(3), third: key(2), isSingle: false)
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

    /// CBC from `state` over each lane's blocks. `length` gives the blocks of a lane, at least one; lanes stand in the order of
    /// falling length. A lane that has ended keeps its value in state 2 while the longer ones go on.
    @inline(__always)
    func chain(
        _ count: Int, _ keys: LaneKeys, from start: LaneState, length: (_ lane: Int) -> Int,
        _ block: (_ lane: Int, _ index: Int) -> Block8
    ) -> LaneState {
        var state = start
        let result = self.state(2)
        var active = count
        var index = 0
        while true {
            fill(active) { block($0, index) }
            absorb(into: state)
            encrypt(&state, keys)
            index += 1
            var longer = active
            while longer > 0, length(longer - 1) == index { longer -= 1 }
            if longer == 0, active == count { return state }
            if longer < active { take(state, into: result, lanes: longer..<active) }
            if longer == 0 { return result }
            active = longer
        }
    }
}

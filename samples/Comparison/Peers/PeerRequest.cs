namespace GrpcShm.Samples.Comparison.Peers;

/// <summary>A line that asks the peer process for something. It answers each with one line of JSON.</summary>
/// <param name="Kind">What is asked for.</param>
/// <param name="MachineId">For <see cref="PeerRequestKind.Join"/>: the machine that joins.</param>
/// <param name="AnswerTo">For <see cref="PeerRequestKind.Join"/>: the machine that gets each event back; none for a
/// machine that only counts them.</param>
/// <param name="PayloadBytes">For <see cref="PeerRequestKind.Join"/>: the size of each event's payload.</param>
/// <param name="IsTimed">For <see cref="PeerRequestKind.Join"/>: whether each payload has the time at which its event
/// was due, so that the machine measures how long the event took.</param>
/// <param name="UsesLanes">For <see cref="PeerRequestKind.Join"/>: whether events may go past the hub.</param>
/// <param name="Expected">For <see cref="PeerRequestKind.Leave"/>: how many events must have come before the machine
/// leaves.</param>
internal sealed record PeerRequest(
    PeerRequestKind Kind,
    string MachineId = "",
    string AnswerTo = "",
    int PayloadBytes = 0,
    bool IsTimed = false,
    bool UsesLanes = false,
    long Expected = 0);

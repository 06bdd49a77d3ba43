namespace GrpcShm.EventBus;

/// <summary>What came of a send.</summary>
/// <param name="NewState">
/// The target's state after it handled the event; empty if the send did not wait for that or the target did not say.
/// </param>
/// <param name="Reply">The reply, if one was asked for.</param>
public sealed record EventSendResult(string NewState, BusEvent? Reply)
{
    /// <summary>
    /// Why it is not known what became of the event, or <see langword="null"/>. Set only if the client was disposed of,
    /// or disconnected, before the answer came, and an exception would have had nobody to go to: it might have ended
    /// the process.
    /// </summary>
    public EventBusException? Failure { get; init; }
}

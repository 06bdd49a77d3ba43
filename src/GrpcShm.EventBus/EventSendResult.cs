namespace GrpcShm.EventBus;

/// <summary>The result of a send.</summary>
/// <param name="NewState">
/// The target's state after it handled the event; empty if the send did not wait for it or the target named none.
/// </param>
/// <param name="Reply">The reply, if one was asked for.</param>
public sealed record EventSendResult(string NewState, BusEvent? Reply)
{
    /// <summary>
    /// The reason why nobody knows what happened to the event, or <see langword="null"/>. It is set only if the client
    /// was disposed of, or disconnected, before the answer came, and no code could have caught an exception: it might
    /// have ended the process.
    /// </summary>
    public EventBusException? Failure { get; init; }
}

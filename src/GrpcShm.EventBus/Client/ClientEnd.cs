using Grpc.Core;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// The end of a client by the wish of its owner: whether it has been disposed of, and who is told of the end by an
/// exception.
/// </summary>
internal sealed class ClientEnd
{
    // Written under the lock of the client's link, read by everybody who sends: a send that just misses it is answered
    // as one that the end has met on its way.
    private volatile bool _isDisposed;

    public bool IsDisposed => _isDisposed;

    /// <summary>The reason of everything that fails by a disconnection.</summary>
    /// <param name="reason">What the client did not wish for; none if its owner ended it.</param>
    public static EventBusException Disconnected(Exception? reason) => new(
        StatusCode.Unavailable,
        reason is null ? "The client is disconnected." : $"The client is disconnected: {reason.Message}",
        null,
        reason)
    {
        IsEndedByOwner = reason is null,
    };

    /// <summary>The answer to a send that was left when the client ended, and of which its events have told.</summary>
    public static Outcome Left(EventBusException exception) => new() { StatusCode = (int)exception.StatusCode };

    public void SetDisposed() => _isDisposed = true;

    /// <summary>
    /// Whether a send that failed is told of by the client's events alone. Whoever sent it, and waits for no more than
    /// that it is accepted, need not be told by an exception that the owner of the client ended it. An <c>async
    /// void</c> method, which is what a handler of the type <c>Action</c> is, would end the process by it. A caller
    /// that waits for more must not go on as if that had come.
    /// </summary>
    public bool IsTold(EventBusException exception, bool wantsMore, bool isInHandler) =>
        exception.IsEndedByOwner && !wantsMore && (_isDisposed || isInHandler);

    /// <summary>
    /// Refuses what is asked of a disposed client, but for handlers, which may still be at their last event.
    /// </summary>
    public void ThrowIfDisposed() =>
        ObjectDisposedException.ThrowIf(_isDisposed && !HandlerFlow.IsInside, typeof(EventClient));
}

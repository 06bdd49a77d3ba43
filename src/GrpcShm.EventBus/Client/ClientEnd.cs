using Grpc.Core;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// The end of a client by the wish of its owner: says whether the client has been disposed of, and which callers are
/// told of the end by an exception.
/// </summary>
internal sealed class ClientEnd
{
    // Written under the lock of the client's link. Each sender reads it without: a send that reads it a moment too
    // early is answered as one that was under way at the end.
    private volatile bool _isDisposed;

    public bool IsDisposed => _isDisposed;

    /// <summary>Makes the exception of everything that fails before the client is connected.</summary>
    public static EventBusException MakeUnconnected() => new(
        StatusCode.Unavailable,
        $"The client has not been connected. Await its {nameof(EventClient.ConnectAsync)} before the first use, or let "
        + "services.AddEventBusClient() make the client: then it connects by itself.")
    {
        IsEndedByOwner = true,
    };

    /// <summary>Makes the exception of everything that fails by a disconnection.</summary>
    /// <param name="reason">The cause that nobody wished for; none if the client's owner ended it.</param>
    /// <param name="pause">
    /// How long the client waits until a use connects it again; none if only its owner connects it.
    /// </param>
    public EventBusException MakeReason(Exception? reason, TimeSpan? pause = null)
    {
        var remedy = (_isDisposed, pause) switch
        {
            (true, _) => "",
            (_, null) => $" Call {nameof(EventClient.ConnectAsync)} to connect it again.",
            _ => $" Its first use after {pause.Value.TotalSeconds:0.###} s connects it again.",
        };
        return new EventBusException(
            StatusCode.Unavailable,
            reason is null
                ? $"The client is disconnected.{remedy}"
                : $"The client is disconnected.{remedy} The reason was: {HubFailure.Describe(reason)}",
            null,
            reason)
        {
            IsEndedByOwner = reason is null,
        };
    }

    /// <summary>
    /// Makes the exception for a caller that waits to be connected. To call again would not help it: the attempts have
    /// ended for this reason.
    /// </summary>
    public static EventBusException MakeUnreached(Exception reason) => new(
        StatusCode.Unavailable,
        $"The client could not be connected to its hub. {HubFailure.Describe(reason)}",
        null,
        HubFailure.CauseOf(reason));

    /// <summary>
    /// Makes the outcome of a send that the end left unanswered. The client's events have told of it.
    /// </summary>
    public static Outcome MakeLeftOutcome(EventBusException exception) =>
        new() { StatusCode = (int)exception.StatusCode };

    public void SetDisposed() => _isDisposed = true;

    /// <summary>
    /// True if the client's events alone tell of a send that failed. A sender that waits for no more than
    /// <c>Accepted</c> need not learn by an exception that the owner of the client ended it. Such an exception would
    /// end the process in an <c>async void</c> method, which a handler of the type <c>Action</c> is. A caller that
    /// waits for more gets the exception: it must not go on as if the answer had come.
    /// </summary>
    public bool IsToldByEventsAlone(EventBusException exception, bool wantsMore, bool isInHandler) =>
        exception.IsEndedByOwner && !wantsMore && (_isDisposed || isInHandler);

    /// <summary>
    /// Refuses calls of a disposed client, except in handlers: one of them may still be at its last event.
    /// </summary>
    public void ThrowIfDisposed() =>
        ObjectDisposedException.ThrowIf(_isDisposed && !HandlerFlow.IsInside, typeof(EventClient));
}

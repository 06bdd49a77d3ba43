namespace GrpcShm.EventBus.Client;

/// <summary>
/// Says to which handler the running code belongs, whatever it has awaited since: to a handler of a machine or of
/// another subscription, or to a handler of the client's own events.
/// </summary>
internal static class HandlerFlow
{
    // Stands for the client's own events, which run no machine's handler.
    private static readonly object Raised = new();

    // An event that is being handled, or Raised.
    private static readonly AsyncLocal<object?> Flow = new();

    /// <summary>True if this is the flow of any handler.</summary>
    public static bool IsInside => Flow.Value is not null;

    /// <summary>True if this is the flow of a handler of the client's own events.</summary>
    public static bool IsRaised => ReferenceEquals(Flow.Value, Raised);

    /// <summary>The event to whose handler this flow belongs; or none.</summary>
    public static BusEvent? Current => Flow.Value as BusEvent;

    /// <summary>
    /// True if no code waits for this flow any more: its handler has returned and left it behind, as an <c>async
    /// void</c> method is left behind at its first wait. An exception there ends the process.
    /// </summary>
    public static bool IsLeftBehind => IsRaised || Current is { HasBeenHandled: true };

    /// <summary>Begins the flow of an event's handlers. In an asynchronous method it ends with that method.</summary>
    public static void Begin(BusEvent received) => Flow.Value = received;

    /// <summary>Runs a handler of the client's own events.</summary>
    public static void Raise(Action handler)
    {
        Flow.Value = Raised;
        try
        {
            handler();
        }
        finally
        {
            Flow.Value = null;
        }
    }
}

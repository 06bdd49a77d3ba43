namespace GrpcShm.EventBus.Client;

/// <summary>
/// The failures of a client's attempts to connect. Each one is logged unless it repeats the one before.
/// </summary>
/// <remarks>
/// Only the client's link writes it, in one attempt after the other. Any thread reads it without a lock, to say why
/// there is no connection: it was true a moment ago.
/// </remarks>
internal sealed class ConnectFailures(RaisedEvents events)
{
    private Exception? _last;

    /// <summary>The failure of the last attempt; none if it succeeded, or if there was none yet.</summary>
    public Exception? Last => Volatile.Read(ref _last);

    /// <summary>The failure of the last attempt in words; none if there is no failure.</summary>
    public string? Reason => Last is { } failure ? HubFailure.Describe(failure) : null;

    /// <summary>Notes that an attempt has failed.</summary>
    public void Note(Exception failure)
    {
        var reason = HubFailure.Describe(failure);
        var isRepeated = reason == Reason;
        Volatile.Write(ref _last, failure);
        if (!isRepeated)
        {
            events.LogFailedAttempt(reason);
        }
    }

    /// <summary>Forgets the failure: an attempt has succeeded, or the attempts begin anew.</summary>
    public void Clear() => Volatile.Write(ref _last, null);
}

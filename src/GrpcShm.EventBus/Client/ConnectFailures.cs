using Grpc.Core;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// The failures of a client's attempts to connect. Each one is logged unless it repeats the one before.
/// </summary>
/// <remarks>
/// Only the client's link writes it, in one attempt after the other. Any thread reads it without a lock, to say why
/// there is no connection: it was true a moment ago.
/// </remarks>
/// <param name="events">The log of the client.</param>
/// <param name="server">The server that the client calls; none if it does not know it.</param>
internal sealed class ConnectFailures(RaisedEvents events, string? server)
{
    private Exception? _last;

    /// <summary>The failure of the last attempt; none if it succeeded, or if there was none yet.</summary>
    public Exception? Last => Volatile.Read(ref _last);

    /// <summary>The failure of the last attempt in words; none if there is no failure.</summary>
    public string? Reason => Last is { } failure ? Describe(failure) : null;

    /// <summary>Notes that an attempt has failed.</summary>
    public void Note(Exception failure)
    {
        var reason = Describe(failure);
        var isRepeated = reason == Reason;
        Volatile.Write(ref _last, failure);
        if (!isRepeated)
        {
            events.LogFailedAttempt(reason);
        }
    }

    /// <summary>Says in words why an attempt failed, or why a session ended.</summary>
    public string Describe(Exception failure) => HubFailure.Describe(failure, server);

    /// <summary>
    /// Makes the exception that tells the program why an attempt failed, or why a session ended: a call's own exception
    /// is not for people to read.
    /// </summary>
    public Exception Explain(Exception failure) => failure is RpcException call
        ? new EventBusException(call.StatusCode, Describe(call), null, call)
        : failure;

    /// <summary>Forgets the failure: an attempt has succeeded, or the attempts begin anew.</summary>
    public void Clear() => Volatile.Write(ref _last, null);
}

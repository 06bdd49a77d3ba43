using Grpc.Core;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// Counts the sessions of a client that end again as soon as they are opened, one behind the other. Each one after the
/// first counts as an attempt to connect that has failed. So the pipeline of these attempts makes the client wait
/// longer each time, though each attempt opens a session.
/// </summary>
/// <remarks>Only the client's link uses it. The first such session does not count: a hub may restart.</remarks>
internal sealed class ShortSessions(TimeSpan shortTime)
{
    // By the default pipeline these have the client wait for about three seconds, since its circuit breaker does not
    // count them.
    private const int MostFailures = 6;

    private int _count;
    private Exception? _last;

    /// <summary>How many attempts the sessions so far count as that have failed.</summary>
    public int Failures => Math.Clamp(_count - 1, 0, MostFailures);

    /// <summary>Begins anew.</summary>
    public void Clear() => _count = 0;

    /// <summary>Notes that a session has ended, or is being closed by the owner of the client.</summary>
    /// <param name="link">The session.</param>
    /// <param name="isCauseKnown">
    /// Whether a command ended it that is not sent again. Then a further session does not end for the same reason.
    /// </param>
    /// <returns>True if it counts as one that ended as soon as it was opened.</returns>
    public bool Note(SessionLink link, bool isCauseKnown)
    {
        if (link.IsClosing || !link.HasEnded || link.TimeOpen >= shortTime)
        {
            _count = 0;
            return false;
        }

        if (isCauseKnown)
        {
            return false;
        }

        _count++;
        _last = link.Ended.Result;
        return true;
    }

    /// <summary>Makes the failure that an attempt has in place of the last session.</summary>
    public EventBusException MakeFailure() => new(
        StatusCode.Unavailable,
        $"{_count} sessions ended as soon as they were opened. {(_last is null ? "" : HubFailure.Describe(_last))}",
        null,
        _last)
    {
        IsInPlaceOfSession = true,
    };
}

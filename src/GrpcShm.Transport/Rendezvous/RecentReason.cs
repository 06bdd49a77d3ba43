using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Rendezvous;

/// <summary>
/// The reason why there was no server a moment ago. The system is asked for the places where a server may be, and that
/// costs far more than a call: calls that fail one after the other share what was found. Any thread.
/// </summary>
internal sealed class RecentReason(TimeProvider time)
{
    private static readonly TimeSpan Lasts = TimeSpan.FromSeconds(1);

    // Written by whoever looks. Two threads may both look, and the later one's finding stays.
    private volatile Finding? _last;

    /// <summary>Says why there is no server, as it was found within the last second or is found now.</summary>
    public string Find(ServerAbsence absence)
    {
        if (_last is { } last && time.GetElapsedTime(last.Since) < Lasts && absence.IsSameAs(last.Absence))
        {
            return last.Text;
        }

        var text = absence.Describe() + TestServerNote.Find();
        _last = new Finding(absence, text, time.GetTimestamp());
        return text;
    }

    private sealed record Finding(ServerAbsence Absence, string Text, long Since);
}

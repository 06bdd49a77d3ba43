using System.Diagnostics;
using GrpcShm.EventBus.Mailboxes;

namespace GrpcShm.EventBus.Client;

/// <summary>Decides on which thread a writer runs that is woken.</summary>
/// <remarks>
/// After a pause the writer runs on the thread that wakes it, which saves the time to wake another one. It does so for
/// the next few messages, too: one close behind another is not yet a stream. While write follows write, the writer runs
/// on another thread, and what is put in meanwhile goes into one message.
/// </remarks>
internal sealed class WriterPace
{
    /// <summary>After so many writes in a row a writer lets go of the thread that has woken it.</summary>
    public const int MostOnWakersThread = 4;

    // More writes without a pause between them are a stream.
    private const int MostInlineInARow = 4;

    private long _lastWrite;
    private int _writesInARow;

    /// <summary>Wakes the writer.</summary>
    public void Wake(WakeSignal signal)
    {
        var isAfterPause = Stopwatch.GetTimestamp() - Volatile.Read(ref _lastWrite) > Stopwatch.Frequency / 50_000;
        if (isAfterPause && signal.IsWaiting)
        {
            // Not while a long write is under way. Two threads that wake the writer at once may lose a count: one
            // inline write more or less.
            Volatile.Write(ref _writesInARow, 0);
        }

        signal.Set(runInline: isAfterPause || Volatile.Read(ref _writesInARow) < MostInlineInARow);
    }

    /// <summary>Notes that a message has been written. The writer calls it.</summary>
    public void NoteWrite()
    {
        Volatile.Write(ref _lastWrite, Stopwatch.GetTimestamp());
        Volatile.Write(ref _writesInARow, Math.Min(_writesInARow + 1, MostInlineInARow));
    }
}

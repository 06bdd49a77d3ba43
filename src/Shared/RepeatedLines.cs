namespace GrpcShm;

/// <summary>
/// Sums up log lines that a peer can cause as often as it likes: in each <see cref="Window"/> the first few are written
/// and the others are counted, and the first line of a later window says how many others there were. Any thread.
/// </summary>
/// <remarks>
/// There is no timer. At the end the owner asks <see cref="TakeRest"/> how many lines are still to be told of.
/// Compiled into each library that hears from a peer.
/// </remarks>
/// <param name="most">How many lines a window has.</param>
/// <param name="time">The clock; the system's by default.</param>
internal sealed class RepeatedLines(int most = 8, TimeProvider? time = null)
{
    /// <summary>How long a window is. It begins with its first line.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Lock _gate = new();
    private long _started;
    private int _written;
    private long _leftOut;

    /// <summary>Counts one more line.</summary>
    /// <param name="leftOut">How many lines were left out since the last line that was written.</param>
    /// <returns>Whether to write the line.</returns>
    public bool Next(out long leftOut)
    {
        lock (_gate)
        {
            var now = _time.GetTimestamp();
            if (_written == 0 || _time.GetElapsedTime(_started, now) >= Window)
            {
                _started = now;
                _written = 0;
            }

            if (_written == most)
            {
                _leftOut++;
                leftOut = 0;
                return false;
            }

            _written++;
            leftOut = _leftOut;
            _leftOut = 0;
            return true;
        }
    }

    /// <summary>Takes the number of lines that were left out since the last line. The count begins anew.</summary>
    public long TakeRest()
    {
        lock (_gate)
        {
            var rest = _leftOut;
            _leftOut = 0;
            return rest;
        }
    }
}

using System.Runtime.ExceptionServices;

namespace GrpcShm.Transport.Calls;

/// <summary>How the data ends, and how it fails.</summary>
internal sealed partial class ReceivedBody
{
    // Under the gate. Whether the failure was settled before the reader is told: then it counts more than what follows
    // from it, as a token of the reader's own that fires.
    private bool _isSettled;

    /// <summary>Says that the rest will not come.</summary>
    /// <param name="exception">What the reader is told.</param>
    /// <param name="byPeer">Whether the peer will send no more. If not, it may use up what credit it has.</param>
    public void Fail(Exception exception, bool byPeer)
    {
        var news = default(CreditNews);
        lock (_gate)
        {
            EndUnderGate(exception);
            if (byPeer)
            {
                EndCreditUnderGate(ref news);
            }
            else
            {
                StopCreditUnderGate(ref news);
            }
        }

        Tell(news);
    }

    /// <summary>
    /// Settles what the reader will be told by <see cref="ShowFailure"/>. Until then it goes on to wait.
    /// </summary>
    /// <param name="exception">What the reader is told, unless it has the end already, or another reason.</param>
    /// <param name="byPeer">Whether the peer will send no more.</param>
    public void Settle(Exception exception, bool byPeer)
    {
        var news = default(CreditNews);
        lock (_gate)
        {
            if (!_hasEnded)
            {
                _failure ??= exception;
                _isSettled = true;
            }

            if (byPeer)
            {
                EndCreditUnderGate(ref news);
            }
            else
            {
                StopCreditUnderGate(ref news);
            }
        }

        Tell(news);
    }

    /// <summary>Tells the reader what has been settled.</summary>
    public void ShowFailure()
    {
        lock (_gate)
        {
            if (!_hasEnded)
            {
                ShowEndUnderGate();
            }
        }
    }

    /// <summary>A read that its own token has ended: says that the call has failed before, if it has.</summary>
    internal void ThrowIfSettled()
    {
        lock (_gate)
        {
            ThrowIfSettledUnderGate();
        }
    }

    private void EndUnderGate(Exception? failure)
    {
        // What has been settled is shown in its time.
        if (!_hasEnded && !_isSettled)
        {
            _failure = failure;
            ShowEndUnderGate();
        }
    }

    private void ShowEndUnderGate()
    {
        _hasEnded = true;
        _bytes.Show();
        _read.Wake();
    }

    private void ThrowIfSettledUnderGate()
    {
        if (_isSettled)
        {
            ExceptionDispatchInfo.Throw(_failure!);
        }
    }
}

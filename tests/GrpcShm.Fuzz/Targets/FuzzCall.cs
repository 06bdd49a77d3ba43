using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Signaling;
using GrpcShm.Transport;

namespace GrpcShm.Fuzz.Targets;

/// <summary>A call on either side that reads all its data, and counts its ends.</summary>
internal sealed class FuzzCall : ICallStreamOwner
{
    private static readonly RunProfile Pool = new(RunMode.ThreadPool);

    private int _timesLeft;
    private int _timesFailed;
    private int _timesEnded;
    private int _blocks;
    private bool _isConfused;

    public FuzzCall() => Stream = new CallStream(this, Pool);

    /// <summary>The stream that carries the call.</summary>
    public CallStream Stream { get; }

    public bool IsInputTimed => false;

    public bool HasLeftOnce => Volatile.Read(ref _timesLeft) == 1;

    /// <summary>True if an event came twice, or if events came in an impossible order.</summary>
    public bool IsConfused => _isConfused || _timesLeft > 1 || _timesFailed > 1 || _timesEnded > 1 || _blocks > 2;

    /// <summary>Does an action of the application with the call.</summary>
    public void Act(int what, int size)
    {
        switch (what % 5)
        {
            case 0:
                Write(size);
                break;
            case 1:
                Write(size);
                Stream.Trailers.Begin();
                Stream.Trailers.Add("grpc-status", "0", Stream.Connection.SentPairs);
                Stream.Output.End();
                break;
            case 2:
                Stream.Reset((CallError)(size % 16));
                break;
            case 3:
                ReadSome();
                break;
            default:
                Stream.Output.CancelFlush();
                break;
        }
    }

    /// <summary>Fills in and sends the headers.</summary>
    public void Begin(string path)
    {
        Stream.Headers.Begin();
        Stream.Headers.Add(":path", path, Stream.Connection.SentPairs);
        Stream.Headers.Add("fuzz", "yes", Stream.Connection.SentPairs);
        Stream.Output.Release();
    }

    public void OnHeaders(ref HeaderReader headers) => ReadAll(ref headers);

    public void OnTrailers(ref HeaderReader trailers) => ReadAll(ref trailers);

    public void OnReceived(bool hasEnded)
    {
        _isConfused |= _blocks == 0;
        _timesEnded += hasEnded ? 1 : 0;
    }

    public void OnFailed(CallError error, Exception exception, bool byPeer)
    {
        Interlocked.Increment(ref _timesFailed);
        Stream.FailBodies(exception, byPeer);
    }

    public void OnData(int count, bool hasEnded)
    {
    }

    public void OnRefused(CallError error, Exception exception)
    {
    }

    public void OnRead(long total)
    {
    }

    public void OnOverdue(Overdue overdue, uint id)
    {
    }

    public void OnLeft(bool byReceiver) => Interlocked.Increment(ref _timesLeft);

    private void ReadAll(ref HeaderReader reader)
    {
        _blocks++;
        while (reader.Read())
        {
            try
            {
                HeaderBlockTarget.Verify(reader);
            }
            catch (FuzzFailureException)
            {
                // Otherwise the exception would only end this call.
                _isConfused = true;
                throw;
            }
        }
    }

    private void Write(int size)
    {
        if (Stream.HasSentEnd || HasLeftOnce)
        {
            return;
        }

        try
        {
            Stream.Output.ThrowIfCompleted();
            Stream.Output.Advance(Stream.Output.GetSpan(size)[..size].Length);
            Stream.Output.Release();
        }
        catch (InvalidOperationException)
        {
            // The call has ended its output before.
        }
    }

    private void ReadSome()
    {
        try
        {
            if (Stream.Input.TryRead(out var result))
            {
                Stream.Input.AdvanceTo(result.Buffer.GetPosition(result.Buffer.Length / 2));
            }
        }
        catch (IOException)
        {
            // The call has been reset, or the connection has ended.
        }
    }
}

using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Signaling;
using GrpcShm.Transport;

namespace GrpcShm.Fuzz.Targets;

/// <summary>A call on either side that reads all that it is told, and counts how it ends.</summary>
internal sealed class FuzzCall() : CallStream(Pool)
{
    private static readonly RunProfile Pool = new(RunMode.ThreadPool);

    private int _timesLeft;
    private int _timesFailed;
    private int _timesEnded;
    private int _blocks;
    private bool _isConfused;

    public bool HasLeftOnce => Volatile.Read(ref _timesLeft) == 1;

    /// <summary>Whether it was told of one thing twice, or of things in an order in which they cannot be.</summary>
    public bool IsConfused => _isConfused || _timesLeft > 1 || _timesFailed > 1 || _timesEnded > 1 || _blocks > 2;

    /// <summary>What the application does with it.</summary>
    public void Act(int what, int size)
    {
        switch (what % 5)
        {
            case 0:
                Write(size);
                break;
            case 1:
                Write(size);
                Trailers.Begin();
                Trailers.Add("grpc-status", "0", Connection.SentPairs);
                EndOutput();
                break;
            case 2:
                Reset((CallError)(size % 16));
                break;
            case 3:
                ReadSome();
                break;
            default:
                CancelFlush();
                break;
        }
    }

    /// <summary>Fills in and sends the headers.</summary>
    public void Begin(string path)
    {
        Headers.Begin();
        Headers.Add(":path", path, Connection.SentPairs);
        Headers.Add("fuzz", "yes", Connection.SentPairs);
        Release();
    }

    protected override void OnHeaders(ref HeaderReader headers) => ReadAll(ref headers);

    protected override void OnTrailers(ref HeaderReader trailers) => ReadAll(ref trailers);

    protected override void OnReceived(bool hasEnded)
    {
        _isConfused |= _blocks == 0;
        _timesEnded += hasEnded ? 1 : 0;
    }

    protected override void OnFailed(CallError error, Exception exception, bool byPeer)
    {
        Interlocked.Increment(ref _timesFailed);
        FailBodies(exception, byPeer);
    }

    protected override void OnLeft() => Interlocked.Increment(ref _timesLeft);

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
                // Else it would end this call and no more.
                _isConfused = true;
                throw;
            }
        }
    }

    private void Write(int size)
    {
        if (HasSentEnd || HasLeftOnce)
        {
            return;
        }

        try
        {
            ThrowIfOutputCompleted();
            Output.Advance(Output.GetSpan(size)[..size].Length);
            Release();
        }
        catch (InvalidOperationException)
        {
            // It has ended its output before.
        }
    }

    private void ReadSome()
    {
        try
        {
            if (Input.TryRead(out var result))
            {
                Input.AdvanceTo(result.Buffer.GetPosition(result.Buffer.Length / 2));
            }
        }
        catch (IOException)
        {
            // It has been reset, or the connection has ended.
        }
    }
}

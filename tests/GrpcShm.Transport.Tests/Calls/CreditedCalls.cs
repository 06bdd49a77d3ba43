using System.Diagnostics;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Transport.Tests.Calls;

/// <summary>Calls whose frames are written one by one, as far as there is credit for them.</summary>
internal sealed class CreditedCalls(RawClient client, int count, int size)
{
    private const int Piece = 16 * 1024;

    private readonly int[] _sent = new int[count];
    private readonly int[] _credit = [.. Enumerable.Repeat(CallSettings.FirstWindow, count)];
    private readonly bool[] _hasAnswer = new bool[count];
    private readonly bool[] _isReset = new bool[count];

    /// <summary>How many more bytes may be sent, in all.</summary>
    public long Credit => _credit.Sum(static credit => (long)credit);

    /// <summary>How many bytes have been sent.</summary>
    public long Sent => _sent.Sum(static sent => (long)sent);

    /// <summary>How many calls have been answered.</summary>
    public int Answered => _hasAnswer.Count(static has => has);

    public bool IsRefused { get; private set; }

    /// <summary>Begins all of them.</summary>
    public void Begin()
    {
        for (var i = 0u; i < count; i++)
        {
            Put(RawFrames.Message(i, FrameFlags.Headers));
        }
    }

    /// <summary>Sends as much data as there is credit for, but not the last byte of each call.</summary>
    /// <returns>Whether any data was sent.</returns>
    public bool SendAll()
    {
        var sent = Sent;
        for (var i = 0u; i < count; i++)
        {
            while (Math.Min(_credit[i], size - 1 - _sent[i]) is > 0 and var most)
            {
                Send(i, Math.Min(most, Piece), FrameFlags.None);
            }
        }

        Take();
        return Sent > sent;
    }

    /// <summary>Sends the last byte of one call that lacks only that.</summary>
    /// <returns>Whether there is such a call.</returns>
    public bool FinishOne()
    {
        for (var i = 0u; i < count; i++)
        {
            if (_sent[i] == size - 1 && _credit[i] > 0)
            {
                Send(i, 1, FrameFlags.End);
                return true;
            }
        }

        return false;
    }

    /// <summary>Ends a call without a reason.</summary>
    public void Reset(uint call)
    {
        // Credit that is on its way is not used.
        _isReset[call] = true;
        _credit[call] = 0;
        Put(RawFrames.Control(FrameType.Reset, call, 8));
    }

    /// <summary>Takes the frames that the server has sent.</summary>
    public void Take()
    {
        foreach (var frame in client.TakeFrames())
        {
            switch (frame.Type)
            {
                case FrameType.Credit when !_isReset[frame.Call]:
                    Assert.InRange(frame.Argument, 1ul, (ulong)CallSettings.Window);
                    _credit[frame.Call] += (int)frame.Argument;
                    Assert.InRange(_credit[frame.Call], 0, CallSettings.Window);
                    break;
                case FrameType.Message when frame.Has(FrameFlags.End):
                    _hasAnswer[frame.Call] = true;
                    break;
                case FrameType.Reset:
                    IsRefused |= frame.Argument == (ulong)CallError.Refused;
                    break;
            }
        }
    }

    private void Send(uint call, int length, FrameFlags flags)
    {
        var frame = RawFrames.Message(call, flags, data: length);
        Pattern.Fill(frame.AsSpan(FrameHeader.Size), _sent[call]);
        Put(frame);
        _sent[call] += length;
        _credit[call] -= length;
    }

    private void Put(byte[] frame)
    {
        client.PublishFrame(frame);
        var started = Stopwatch.GetTimestamp();
        while (!client.IsTaken)
        {
            Take();
            Thread.Yield();
            if (Stopwatch.GetElapsedTime(started) > TimeLimit.Value)
            {
                Assert.Fail("The server does not take the frame.");
            }
        }
    }
}

using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Calls;

/// <summary>A client that writes arbitrary frames into the ring, in direct mode.</summary>
[Collection(AloneCollection.Name)]
public sealed class HostileCallTests : HostileTest, ICallAcceptor
{
    private const FrameFlags Headers = FrameFlags.Headers;
    private const FrameFlags Trailers = FrameFlags.Trailers;
    private const FrameFlags Continues = FrameFlags.Continues;
    private const FrameFlags End = FrameFlags.End;

    private readonly List<TestCall> _accepted = [];
    private RawClient _client = null!;
    private SharedMemoryConnection _connection = null!;
    private CallConnection _server = null!;

    public enum Attack
    {
        DataWithoutACall,
        DataForALeftCall,
        HeadersTwice,
        HeadersWhereACallIs,
        DataAfterTheEnd,
        DataAfterAReset,
        TrailersThenData,
        ContinuedTrailersThenData,
        ContinuedHeadersThenData,
        ContinuedHeadersThenEnd,
        TooMuchHeaders,
        TooMuchTrailers,
        MalformedHeaders,
        UnknownPair,
        PairDefinedTwice,
        DataBeyondCredit,
        CreditBeyondTheWindow,
        GoAway,
        CreditOfNothing,
        ChecksumThatWasNotAgreedOn,
        NothingWritten,
        UnknownType,
        GapInTheMiddle,
        FrameBeyondTheTail,
        TailInTheMiddleOfAFrame,
        TooManyPartialBlocks,
    }

    [Theory]
    [InlineData(Attack.DataWithoutACall, "which there is not")]
    [InlineData(Attack.DataForALeftCall, "which there is not")]
    [InlineData(Attack.HeadersTwice, "out of order")]
    [InlineData(Attack.HeadersWhereACallIs, "is under way")]
    [InlineData(Attack.DataAfterTheEnd, "after it had ended")]
    [InlineData(Attack.DataAfterAReset, "which there is not")]
    [InlineData(Attack.TrailersThenData, "after it had ended")]
    [InlineData(Attack.ContinuedTrailersThenData, "out of order")]
    [InlineData(Attack.ContinuedHeadersThenData, "out of order")]
    [InlineData(Attack.ContinuedHeadersThenEnd, "out of order")]
    [InlineData(Attack.TooMuchHeaders, "more than 1024 bytes")]
    [InlineData(Attack.TooMuchTrailers, "more than 1024 bytes")]
    [InlineData(Attack.MalformedHeaders, "header block")]
    [InlineData(Attack.UnknownPair, "which it has not defined")]
    [InlineData(Attack.PairDefinedTwice, "which it may not")]
    [InlineData(Attack.DataBeyondCredit, "than it had credit for")]
    [InlineData(Attack.CreditBeyondTheWindow, "more than the window has room for")]
    [InlineData(Attack.GoAway, "means nothing")]
    [InlineData(Attack.CreditOfNothing, "means nothing")]
    [InlineData(Attack.ChecksumThatWasNotAgreedOn, "not agreed on")]
    [InlineData(Attack.NothingWritten, "a frame of 0 bytes")]
    [InlineData(Attack.UnknownType, "means nothing")]
    [InlineData(Attack.GapInTheMiddle, "means nothing")]
    [InlineData(Attack.FrameBeyondTheTail, "a frame of")]
    [InlineData(Attack.TailInTheMiddleOfAFrame, "no whole frame")]
    [InlineData(Attack.TooManyPartialBlocks, "without ending them")]
    public async Task Frames_AgainstTheRules_EndTheConnectionAndEachOfItsCalls(Attack attack, string violation)
    {
        await StartAsync();
        await CarryOutAsync(attack);
        Assert.IsType<SharedMemoryProtocolException>(await _server.Completion.InTime());
        await EndPoint.ServerLog.WaitForAsync("ProtocolViolation", violation);
        Assert.Single(EndPoint.ServerLog.Lines, line => line.Name == "ProtocolViolation");
        foreach (var call in _accepted)
        {
            await call.Left.InTime();
            Assert.Equal(1, call.TimesLeft);
            Assert.InRange(call.TimesFailed, 0, 1);
        }

        Assert.Equal(0, _server.ActiveCalls);
        Stop();
    }

    [Fact]
    public async Task Frames_ThatMeanNothingAnyMore_AreIgnored()
    {
        await StartAsync();
        for (var i = 0u; i < 300; i++)
        {
            await PutAsync(RawFrames.Control(FrameType.Credit, i * 7919, CallSettings.Window));
            await PutAsync(RawFrames.Control(FrameType.Reset, i * 104729, uint.MaxValue));
            await PutAsync(RawFrames.Control(FrameType.Pong, 0, i));
        }

        await VerifyServedAsync(0x50007);
        Stop();
    }

    [Fact]
    public async Task Pings_WithoutEndWhoseAnswersNobodyReads_AreTaken()
    {
        await StartAsync();
        for (var i = 0u; i < 1000; i++)
        {
            await PutAsync(RawFrames.Control(FrameType.Ping, 0, i));
        }

        Assert.False(_server.Completion.IsCompleted);
        Stop();
        await _server.Completion.InTime();
    }

    [Fact]
    public async Task Resets_OfOneCallOverAndOver_TellItOnce()
    {
        await StartAsync();

        // The answers fill the ring, which nobody reads.
        for (var i = 0u; i < 200; i++)
        {
            await PutAsync(RawFrames.Message(i, Headers));
            for (var j = 0; j < 3; j++)
            {
                await PutAsync(RawFrames.Control(FrameType.Reset, i, 8));
            }
        }

        Assert.Equal(200, _accepted.Count);
        Assert.All(_accepted, call => Assert.Equal(1, call.TimesFailed));
        Assert.True(_server.ActiveCalls > 0);
        Stop();
        await _server.Completion.InTime();
        Assert.All(_accepted, call => Assert.Equal(1, call.TimesLeft));
    }

    [Theory]
    [InlineData(3u)]
    [InlineData(0x10003u)]
    [InlineData(uint.MaxValue)]
    public async Task Call_InASlotBeyondTheLimit_EndsTheConnection(uint id)
    {
        await using var endPoint = new TestEndPoint();
        endPoint.Settings = Configure(endPoint.Settings) with { MaxCalls = 3 };
        endPoint.Listen();
        await StartAsync(endPoint: endPoint);
        for (var i = 0u; i < 3; i++)
        {
            await PutAsync(RawFrames.Message(i, Headers));
        }

        Assert.False(_server.Completion.IsCompleted);
        await PutAsync(RawFrames.Message(id, Headers));

        var failure = await _server.Completion.InTime();
        Assert.Contains("3 calls at once are the most", failure.Message, StringComparison.Ordinal);
        Assert.Equal(3, _accepted.Count);
        Assert.Equal(0, _server.ActiveCalls);
        Stop();
    }

    [Fact]
    public async Task RefusedCalls_ThatNobodyEnds_DoNotHoldUpAServerThatGoesAway()
    {
        await StartAsync();
        await PutAsync(RawFrames.Message(0, Headers));
        var idle = new TaskCompletionSource();
        _server.OnIdle = idle.SetResult;
        _server.TakeNone();
        for (var i = 1u; i < 10; i++)
        {
            await PutAsync(RawFrames.Message(i, Headers));
        }

        Assert.Equal(1, _server.ActiveCalls);
        await PutAsync(RawFrames.Control(FrameType.Reset, 0, 8));

        await idle.Task.InTime();
        Assert.Equal(0, _server.ActiveCalls);
        Assert.Single(_accepted);
        Stop();
    }

    [Fact]
    public async Task Id_AtTheVeryEnd_IsServed()
    {
        await StartAsync();
        await VerifyServedAsync(uint.MaxValue);
        Stop();
    }

    [Fact]
    public async Task Head_OutOfRangeWhileCallsSend_EndsTheConnection()
    {
        await StartAsync();
        _client.SetHead(-64);
        for (var i = 0u; i < 100 && !_server.Completion.IsCompleted; i++)
        {
            try
            {
                await PutAsync(RawFrames.Control(FrameType.Ping, 0, i));
            }
            catch (ObjectDisposedException)
            {
                break;
            }
        }

        await _server.Completion.InTime();
        await EndPoint.ServerLog.WaitForAsync("ProtocolViolation", "head cursor is out of range");
        Stop();
    }

    [Fact]
    public async Task Checksum_AnyBitFlipped_EndsTheConnectionWithAnErrorThatSaysSo()
    {
        var good = RawFrames.WithChecksum(
            RawFrames.Message(0x10001, Headers | Trailers | End, data: 5, trailers: [0x22]));
        await StartAsync(features: ConnectionFeatures.Checksums);
        await PutAsync(good);
        Assert.Single(_accepted);
        Stop();
        await _server.Completion.InTime();
        for (var bit = 0; bit < good.Length * 8; bit++)
        {
            await StartAsync(features: ConnectionFeatures.Checksums);
            var bad = good.ToArray();
            bad[bit / 8] ^= (byte)(1 << (bit % 8));
            _client.PublishFrame(bad);
            var failure = await _server.Completion.InTime();
            Assert.IsType<SharedMemoryProtocolException>(failure);
            Assert.Contains("memory has been corrupted", failure.Message, StringComparison.Ordinal);
            Stop();
        }

        Assert.Single(_accepted);
    }

    CallStream? ICallAcceptor.Accept()
    {
        var call = new TestCall(new RunProfile(RunMode.ThreadPool), static call =>
        {
            if (call.EndReceived.IsCompleted)
            {
                call.SetHeaders((":status", "200"));
                call.EndOutput();
            }

            return Task.CompletedTask;
        });
        _accepted.Add(call);
        return call.Stream;
    }

    private protected override ListenerSettings Configure(ListenerSettings settings) =>
        settings with { Modes = static () => ConnectionModes.Calls | ConnectionModes.Bytes };

    private async Task StartAsync(
        CallSettings? settings = null,
        ConnectionFeatures features = ConnectionFeatures.None,
        TestEndPoint? endPoint = null)
    {
        endPoint ??= EndPoint;
        _client = await RawClient.ConnectAsync(endPoint.SocketPath, ConnectionModes.Calls, features);
        _connection = await endPoint.AcceptAsync();
        _server = new CallConnection(_connection, settings ?? new CallSettings { MaxHeaderBytes = 1024 }, this);
        _server.Start();
    }

    private void Stop()
    {
        _client.Dispose();
        _connection.Dispose();
    }

    private async Task PutAsync(byte[] frame)
    {
        _client.PublishFrame(frame);
        await TimeLimit.UntilAsync(
            () => _client.IsTaken || _server.Completion.IsCompleted, () => "The server does not take the frame.");
    }

    private async Task VerifyServedAsync(uint id)
    {
        var count = _accepted.Count;
        await PutAsync(RawFrames.Message(id, Headers | End));
        await _accepted[count].Left.InTime();
    }

    private async Task CarryOutAsync(Attack attack)
    {
        const uint Call = 0x10001;
        switch (attack)
        {
            case Attack.DataWithoutACall:
                await PutAsync(RawFrames.Message(Call, FrameFlags.None, data: 5));
                break;
            case Attack.DataForALeftCall:
                await VerifyServedAsync(Call);
                await PutAsync(RawFrames.Message(Call, FrameFlags.None, data: 5));
                break;
            case Attack.HeadersTwice:
                await PutAsync(RawFrames.Message(Call, Headers));
                await PutAsync(RawFrames.Message(Call, Headers));
                break;
            case Attack.HeadersWhereACallIs:
                await PutAsync(RawFrames.Message(Call, Headers));
                await PutAsync(RawFrames.Message(Call + 0x10000, Headers));
                break;
            case Attack.DataAfterTheEnd:
                // A call that the server has not ended yet, since its answer finds no room.
                for (var i = 0u; i < 100; i++)
                {
                    await PutAsync(RawFrames.Message(i, Headers | End));
                }

                await PutAsync(RawFrames.Message(99, FrameFlags.None, data: 5));
                break;
            case Attack.DataAfterAReset:
                await PutAsync(RawFrames.Message(Call, Headers));
                await PutAsync(RawFrames.Control(FrameType.Reset, Call, 8));
                await PutAsync(RawFrames.Message(Call, FrameFlags.None, data: 5));
                break;
            case Attack.TrailersThenData:
                for (var i = 0u; i < 100; i++)
                {
                    await PutAsync(RawFrames.Message(i, Headers | Trailers | End));
                }

                await PutAsync(RawFrames.Message(99, FrameFlags.None, data: 5));
                break;
            case Attack.ContinuedTrailersThenData:
                await PutAsync(RawFrames.Message(Call, Headers | Trailers | Continues));
                await PutAsync(RawFrames.Message(Call, Trailers | End, data: 5));
                break;
            case Attack.ContinuedHeadersThenData:
                await PutAsync(RawFrames.Message(Call, Headers | Continues));
                await PutAsync(RawFrames.Message(Call, FrameFlags.None, data: 5));
                break;
            case Attack.ContinuedHeadersThenEnd:
                await PutAsync(RawFrames.Message(Call, Headers | Continues));
                await PutAsync(RawFrames.Message(Call, End));
                break;
            case Attack.TooMuchHeaders:
                await PutAsync(RawFrames.Message(Call, Headers | Continues, new byte[1000]));
                await PutAsync(RawFrames.Message(Call, Headers, new byte[1000]));
                break;
            case Attack.TooMuchTrailers:
                await PutAsync(RawFrames.Message(Call, Headers | Trailers | End, trailers: new byte[1025]));
                break;
            case Attack.MalformedHeaders:
                await PutAsync(RawFrames.Message(Call, Headers, [0x0d, 0x05, (byte)'/']));
                break;
            case Attack.UnknownPair:
                await PutAsync(RawFrames.Message(Call, Headers, [0x42]));
                break;
            case Attack.PairDefinedTwice:
                await PutAsync(RawFrames.Message(Call, Headers, [0x0f, 0x10, 0x01, (byte)'a']));
                await PutAsync(RawFrames.Message(Call + 1, Headers, [0x0f, 0x10, 0x01, (byte)'b']));
                break;
            case Attack.DataBeyondCredit:
                await PutAsync(RawFrames.Message(Call, Headers));
                for (var sent = 0; sent < CallSettings.Window; sent += 2048)
                {
                    await PutAsync(RawFrames.Message(Call, FrameFlags.None, data: 2048));
                }

                Assert.False(_server.Completion.IsCompleted);
                await PutAsync(RawFrames.Message(Call, FrameFlags.None, data: 1));
                break;
            case Attack.CreditBeyondTheWindow:
                await PutAsync(RawFrames.Message(Call, Headers));
                await PutAsync(RawFrames.Control(FrameType.Credit, Call, CallSettings.Window));
                break;
            case Attack.GoAway:
                await PutAsync(RawFrames.Control(FrameType.GoAway, 0, 0));
                break;
            case Attack.CreditOfNothing:
                await PutAsync(RawFrames.Message(Call, Headers));
                await PutAsync(RawFrames.Control(FrameType.Credit, Call, 0));
                break;
            case Attack.ChecksumThatWasNotAgreedOn:
                await PutAsync(RawFrames.WithChecksum(RawFrames.Message(Call, Headers)));
                break;
            case Attack.NothingWritten:
                _client.SetTail(64);
                _client.Ring();
                break;
            case Attack.UnknownType:
                await PutAsync(RawFrames.Control((FrameType)99, 0, 0));
                break;
            case Attack.GapInTheMiddle:
                _client.Bytes.Slice(4096 + 64, 64).Clear();
                await PutAsync([.. RawFrames.Control(FrameType.Gap, 0, 0), .. new byte[100]]);
                break;
            case Attack.FrameBeyondTheTail:
                var frame = RawFrames.Message(Call, Headers, data: 1000);
                await PutAsync(frame[..128]);
                break;
            case Attack.TailInTheMiddleOfAFrame:
                _client.SetTail(20);
                _client.Ring();
                break;
            default:
                for (var i = 0u; i < 300; i++)
                {
                    await PutAsync(RawFrames.Message(i, Headers | Continues, new byte[1000]));
                    if (_server.Completion.IsCompleted)
                    {
                        break;
                    }
                }

                break;
        }
    }
}

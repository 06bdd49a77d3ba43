using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Calls;

/// <summary>A client that begins blocks and does not end them, or does not take the data that it is sent.</summary>
[Collection(AloneCollection.Name)]
public sealed class OverdueTests : HostileTest, ICallAcceptor
{
    private const FrameFlags Headers = FrameFlags.Headers;
    private const FrameFlags Trailers = FrameFlags.Trailers;
    private const FrameFlags Continues = FrameFlags.Continues;
    private const FrameFlags End = FrameFlags.End;
    private const uint Call = 0x10001;
    private const uint OtherCall = 0x10002;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private static readonly CallTimeLimits Limits = new()
    {
        Block = TimeSpan.FromSeconds(30),
        Received = new DataRate(240, TimeSpan.FromSeconds(5)),
        Sent = new DataRate(1_000_000, TimeSpan.FromSeconds(5)),
    };

    private readonly List<TestCall> _accepted = [];
    private Func<TestCall, Task> _handler = AnswerAsync;
    private RawClient _client = null!;
    private SharedMemoryConnection _connection = null!;
    private CallConnection _server = null!;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Block_NotWholeInTime_EndsItsCallAlone(bool isOfTrailers)
    {
        var flags = isOfTrailers ? Headers | Trailers : Headers;
        await StartAsync();
        await PutAsync(RawFrames.Message(OtherCall, Headers));
        await PutAsync(RawFrames.Message(Call, flags | Continues));
        Tick(30);
        Assert.False(_accepted[1].Failed.IsCompleted, "The call was given no time.");

        Tick(2);

        Assert.Equal(CallError.Internal, (await _accepted[1].Failed.InTime()).Error);

        // The client answers the reset, which frees the place; no other call is affected.
        await PutAsync(RawFrames.Control(FrameType.Reset, Call, 0));
        await _accepted[1].Left.InTime();
        await PutAsync(RawFrames.Message(OtherCall, End, data: 5));
        await _accepted[0].Left.InTime();
        Assert.False(_accepted[0].Failed.IsCompleted, "The other call failed.");
        Stop();
    }

    [Fact]
    public async Task Block_WholeInTime_IsNoLongerTimed()
    {
        await StartAsync();
        await PutAsync(RawFrames.Message(Call, Headers | Continues, RawFrames.Block[..2]));
        Tick(30);
        await PutAsync(RawFrames.Message(Call, Headers, RawFrames.Block[2..]));
        Tick(30);
        await PutAsync(RawFrames.Message(Call, Trailers | Continues));
        Tick(30);
        await PutAsync(RawFrames.Message(Call, Trailers | End, trailers: [0x22]));

        await _accepted[0].Left.InTime();
        Assert.False(_accepted[0].Failed.IsCompleted, "The call failed.");
        Stop();
    }

    [Fact]
    public async Task Block_ObjectServesAnotherConnectionByNow_IsNotTheAffairOfThisOne()
    {
        await StartAsync();
        await PutAsync(RawFrames.Message(Call, Headers | Continues));
        Tick(20);
        var other = new CallConnection(_connection, new CallSettings(), acceptor: null);

        _accepted[0].Stream.EndIfBlockIsOverdue(other, _server.Clock, Second);

        Assert.False(_accepted[0].Failed.IsCompleted, "Another connection ended the call.");
        _accepted[0].Stream.EndIfBlockIsOverdue(_server, _server.Clock, Second);
        Assert.Equal(CallError.Internal, (await _accepted[0].Failed.InTime()).Error);
        Stop();
    }

    [Fact]
    public async Task Ring_NobodyTakesAnything_IsStuck()
    {
        _handler = static async call =>
        {
            call.SetHeaders((":status", "200"));
            await call.SendAsync(new byte[RingSizes.Smallest * 2]);
        };
        await StartAsync();
        await PutAsync(RawFrames.Message(Call, Headers));
        await TimeLimit.UntilAsync(() => _client.HasReceived, () => "The server sends nothing.");
        for (var second = 0; second < 5; second++)
        {
            Assert.False(Tick(1), "The client was given no time.");
        }

        var isStuck = false;
        await TimeLimit.UntilAsync(() => isStuck |= Tick(1), () => "Nobody sees that the client is stuck.");
        Stop();
    }

    [Fact]
    public async Task Ring_WithRoom_IsNotStuck()
    {
        await StartAsync();
        await PutAsync(RawFrames.Message(Call, Headers | End));
        await _accepted[0].Left.InTime();

        Assert.False(Tick(1000));
        Stop();
    }

    [Fact]
    public async Task IsUnderWay_ObjectOfAnEarlierCallThatIsNotListedYet_IsNotThatCall()
    {
        await using var pair = await CallPair.CreateAsync();
        var begun = pair.Begin();

        // Like an object that served a call with that id before: it is on, and has not been given its next id yet.
        var next = new TestCall();
        next.Stream.Id = OtherCall;
        next.Stream.Attach(pair.Client);

        Assert.True(begun.Stream.IsUnderWay(begun.Id));
        Assert.False(next.Stream.IsUnderWay(OtherCall));
        next.Stream.Detach();
    }

    CallStream? ICallAcceptor.Accept()
    {
        var call = new TestCall(new RunProfile(RunMode.ThreadPool), _handler);
        _accepted.Add(call);
        return call.Stream;
    }

    private protected override ListenerSettings Configure(ListenerSettings settings) =>
        settings with
        {
            Modes = static () => ConnectionModes.Calls | ConnectionModes.Bytes,
            RingSize = RingSizes.Smallest,
        };

    private static async Task AnswerAsync(TestCall call)
    {
        await call.EndReceived;
        call.SetHeaders((":status", "200"));
        call.EndOutput();
    }

    private bool Tick(int seconds)
    {
        var isStuck = false;
        for (; seconds > 0; seconds--)
        {
            _server.Tick(Second, Limits, out isStuck);
        }

        return isStuck;
    }

    private async Task StartAsync()
    {
        _client = await RawClient.ConnectAsync(EndPoint.SocketPath, ConnectionModes.Calls, ConnectionFeatures.None);
        _connection = await EndPoint.AcceptAsync();
        _server = new CallConnection(_connection, new CallSettings(), this);
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
}

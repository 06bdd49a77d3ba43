using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Calls;

/// <summary>Bits that flip in the ring after they were written and before they are read, with checksums on.</summary>
[Collection(AloneCollection.Name)]
public sealed class CorruptionTests : IAsyncLifetime, ICallAcceptor
{
    private readonly TestEndPoint _endPoint = new();
    private readonly ConcurrentDictionary<string, long> _cutOff = new();
    private readonly MeterListener _listener = new();

    public enum Frame
    {
        Request,
        Reset,
        PingOfTheClient,
        Response,
        PingOfTheServer,
        GoAway,
    }

    public ValueTask InitializeAsync()
    {
        _endPoint.Settings =
            _endPoint.Settings with { Modes = static () => ConnectionModes.Calls | ConnectionModes.Bytes };
        _endPoint.ConnectSettings =
            _endPoint.ConnectSettings with { Modes = ConnectionModes.Calls, UseChecksums = true };
        _endPoint.Listen();
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Name == "grpcshm.connections.cut_off")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>(
            (_, count, tags, _) =>
                _cutOff.AddOrUpdate($"{tags[0].Value} {tags[1].Value}", count, (_, before) => before + count));
        _listener.Start();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        _listener.Dispose();
        return _endPoint.DisposeAsync();
    }

    [Theory]
    [InlineData(Frame.Request)]
    [InlineData(Frame.Reset)]
    [InlineData(Frame.PingOfTheClient)]
    [InlineData(Frame.Response)]
    [InlineData(Frame.PingOfTheServer)]
    [InlineData(Frame.GoAway)]
    public async Task Flip_AnyBitOfAFrameInTheRing_IsDetectedAndEndsThatConnectionAlone(Frame frame)
    {
        var (other, otherServer) = await _endPoint.ConnectPairAsync();
        using var ownsOther = other;
        using var ownsOtherServer = otherServer;
        var bystander = new CallConnection(other, new CallSettings(), null);
        new CallConnection(otherServer, new CallSettings(), this).Start();
        bystander.Start();

        var toServer = frame is Frame.Request or Frame.Reset or Frame.PingOfTheClient;
        var flips = 0;
        for (int bit = 0, bits = 1; bit < bits; bit += 3)
        {
            bits = await FlipAsync(frame, toServer, bit);
            flips++;
        }

        Assert.True(flips > 60);
        Assert.Equal(flips, _cutOff[toServer ? "Corruption Server" : "Corruption Client"]);
        Assert.Single(_cutOff);
        var log = toServer ? _endPoint.ServerLog : _endPoint.ClientLog;

        // Not each violation has a line: the lines are summed up.
        var lines = log.Lines.Where(line => line.Name == "ProtocolViolation").ToList();
        Assert.NotEmpty(lines);
        Assert.All(lines, line => Assert.Contains("corrupted", line.Text, StringComparison.Ordinal));
        await bystander.PingAsync().InTime();
        Assert.False(bystander.Completion.IsCompleted);
    }

    CallStream? ICallAcceptor.Accept() => new TestCall(new RunProfile(RunMode.ThreadPool), static call =>
    {
        call.SetHeaders((":status", "200"), ("x-some", "thing"));
        call.SetTrailers(("grpc-status", "0"));
        call.EndOutput();
        return Task.CompletedTask;
    }).Stream;

    /// <returns>How many bits the frame has.</returns>
    private async Task<int> FlipAsync(Frame frame, bool toServer, int bit)
    {
        var (client, server) = await _endPoint.ConnectPairAsync();
        using var ownsClient = client;
        using var ownsServer = server;
        var calls = new CallConnection(client, new CallSettings(), null);
        var served = new CallConnection(server, new CallSettings(), this);
        var receiver = toServer ? server : client;
        (toServer ? calls : served).Start();
        var skip = await SendAsync(frame, calls, served, receiver);

        var bits = Flip(receiver, skip, bit);
        (toServer ? served : calls).Start();
        var failure = await (toServer ? served : calls).Completion.InTime();
        Assert.True(
            failure is SharedMemoryProtocolException { IsCorruption: true },
            string.Create(CultureInfo.InvariantCulture, $"Bit {bit} of {bits} of the frame led to: {failure}"));
        return bits;
    }

    /// <summary>Lets a frame be written into the ring, whose reader has not begun to read.</summary>
    /// <returns>How many frames lie before that frame.</returns>
    private static async Task<int> SendAsync(
        Frame frame, CallConnection calls, CallConnection served, SharedMemoryConnection receiver)
    {
        var call = new TestCall();
        switch (frame)
        {
            case Frame.PingOfTheClient:
                _ = calls.PingAsync();
                return 0;
            case Frame.PingOfTheServer:
                _ = served.PingAsync();
                return 0;
            case Frame.GoAway:
                served.GoAway();
                return 0;
            default:
                Assert.True(calls.TryBegin(call.Stream));
                call.SetHeaders((":method", "POST"), (":path", "/a.B/C"));
                call.Output.Write(new byte[40]);
                if (frame == Frame.Reset)
                {
                    await call.Output.FlushAsync(TestContext.Current.CancellationToken);
                    call.Reset(CallError.Cancelled);
                    return 1;
                }

                call.EndOutput();
                await TimeLimit.UntilAsync(() => receiver.Inbound.Peek(), () => "No frame comes.");
                return 0;
        }
    }

    private static int Flip(SharedMemoryConnection receiver, int skip, int bit)
    {
        var ring = receiver.InboundMemory.GetSpan();
        var offset = 0;
        for (; skip > 0; skip--)
        {
            offset += (LengthAt(ring[offset..]) + FrameHeader.Alignment - 1) & -FrameHeader.Alignment;
        }

        var length = LengthAt(ring[offset..]);
        ring[offset + (bit / 8)] ^= (byte)(1 << (bit % 8));
        return length * 8;
    }

    private static int LengthAt(ReadOnlySpan<byte> frame) => BinaryPrimitives.ReadInt32LittleEndian(frame);
}

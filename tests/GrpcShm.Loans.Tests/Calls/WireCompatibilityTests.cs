using System.Buffers;
using Google.Protobuf;
using Grpc.Core;

namespace GrpcShm.Loans.Tests.Calls;

/// <summary>Loans on one side or on both, over each transport: the other side cannot tell.</summary>
[Collection(WaferCollection.Name)]
public sealed class WireCompatibilityTests
{
    public static TheoryData<Way, bool, bool> Ways { get; } = new MatrixTheoryData<Way, bool, bool>(
        [Way.Native, Way.Direct, Way.Http2, Way.Socket], [true, false], [true, false]);

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Unary_EachSize_IsAnsweredWithItsPixels(Way way, bool isServerLoaned, bool isClientLoaned)
    {
        await using var server = await WaferServer.StartAsync(way, isServerLoaned);
        var calls = server.Connect(way).CreateCallInvoker();
        foreach (var size in WaferPixels.Sizes)
        {
            var pixels = WaferPixels.Create(size, size);
            foreach (var lot in (string[])["echo", "invert"])
            {
                var answer = await SharpenAsync(calls, isClientLoaned, lot, pixels);

                Assert.Equal(lot == "echo" ? pixels : WaferPixels.Invert(pixels), answer.Pixels.ToByteArray());
                Assert.Equal((lot, 7), (answer.Lot, answer.Wafer));
            }
        }

        if (isServerLoaned && way == Way.Native)
        {
            Assert.Equal("NativeCallContext", server.Notes.ContextType);
        }

        await NothingIsOnLoanAsync(server);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task ClientStream_IsStored(Way way, bool isServerLoaned, bool isClientLoaned)
    {
        await using var server = await WaferServer.StartAsync(way, isServerLoaned);
        var channel = server.Connect(way);
        var (bytes, sum) = (0L, 0L);
        Stored stored;
        if (isClientLoaned)
        {
            using var call = channel.CreateCallInvoker()
                .AsyncClientStreamingCall(WaferMethods.Store, null, Options());
            foreach (var size in WaferPixels.Sizes)
            {
                using var map = Create("", WaferPixels.Create(size, size));
                (bytes, sum) = (bytes + size, sum + WaferPixels.Sum(map.Payload));
                await call.RequestStream.WriteAsync(map, TestContext.Current.CancellationToken).InTime();
            }

            await call.RequestStream.CompleteAsync().InTime();
            stored = await call.ResponseAsync.InTime();
        }
        else
        {
            using var call = new Wafers.WafersClient(channel).Store(Options());
            foreach (var size in WaferPixels.Sizes)
            {
                var pixels = WaferPixels.Create(size, size);
                (bytes, sum) = (bytes + size, sum + WaferPixels.Sum(new ReadOnlySequence<byte>(pixels)));
                await call.RequestStream.WriteAsync(
                    new WaferMap { Pixels = ByteString.CopyFrom(pixels) },
                    TestContext.Current.CancellationToken).InTime();
            }

            await call.RequestStream.CompleteAsync().InTime();
            stored = await call.ResponseAsync.InTime();
        }

        Assert.Equal(new Stored { Count = WaferPixels.Sizes.Length, Bytes = bytes, Sum = sum }, stored);
        await NothingIsOnLoanAsync(server);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task ServerStream_IsLoaded(Way way, bool isServerLoaned, bool isClientLoaned)
    {
        await using var server = await WaferServer.StartAsync(way, isServerLoaned);
        var channel = server.Connect(way);
        foreach (var size in WaferPixels.Sizes)
        {
            var request = new LoadRequest { Count = 5, Size = size };
            var count = 0;
            if (isClientLoaned)
            {
                using var call = channel.CreateCallInvoker()
                    .AsyncServerStreamingCall(WaferMethods.Load, null, Options(), request);
                while (await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken).InTime())
                {
                    using var map = call.ResponseStream.Current;
                    Assert.Equal(count, map.Message.Wafer);
                    Assert.Equal(WaferPixels.Create(size, count++), map.Payload.ToArray());
                }
            }
            else
            {
                using var call = new Wafers.WafersClient(channel).Load(request, Options());
                while (await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken).InTime())
                {
                    Assert.Equal(
                        WaferPixels.Create(size, count++), call.ResponseStream.Current.Pixels.ToByteArray());
                }
            }

            Assert.Equal(5, count);
        }

        await NothingIsOnLoanAsync(server);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task DuplexStream_IsConverted(Way way, bool isServerLoaned, bool isClientLoaned)
    {
        await using var server = await WaferServer.StartAsync(way, isServerLoaned);
        var channel = server.Connect(way);
        if (isClientLoaned)
        {
            using var call = channel.CreateCallInvoker()
                .AsyncDuplexStreamingCall(WaferMethods.Convert, null, Options());
            foreach (var size in WaferPixels.Sizes)
            {
                using var request = Create("", WaferPixels.Create(size, size));
                await call.RequestStream.WriteAsync(request, TestContext.Current.CancellationToken).InTime();
                Assert.True(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken).InTime());
                using var response = call.ResponseStream.Current;
                Assert.Equal(WaferPixels.Invert(request.Payload.ToArray()), response.Payload.ToArray());
            }

            await call.RequestStream.CompleteAsync().InTime();
            Assert.False(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken).InTime());
        }
        else
        {
            using var call = new Wafers.WafersClient(channel).Convert(Options());
            foreach (var size in WaferPixels.Sizes)
            {
                var pixels = WaferPixels.Create(size, size);
                await call.RequestStream.WriteAsync(
                    new WaferMap { Pixels = ByteString.CopyFrom(pixels) },
                    TestContext.Current.CancellationToken).InTime();
                Assert.True(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken).InTime());
                Assert.Equal(WaferPixels.Invert(pixels), call.ResponseStream.Current.Pixels.ToByteArray());
            }

            await call.RequestStream.CompleteAsync().InTime();
            Assert.False(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken).InTime());
        }

        await NothingIsOnLoanAsync(server);
    }

    private static CallOptions Options() => new(
        deadline: TimeLimit.Deadline, cancellationToken: TestContext.Current.CancellationToken);

    private static Loaned<WaferMap> Create(string lot, byte[] pixels)
    {
        var map = Loaned.Create(new WaferMap { Lot = lot, Wafer = 7 }, pixels.Length, WaferMethods.Pool);
        pixels.CopyTo(map.Memory);
        return map;
    }

    private static async Task<WaferMap> SharpenAsync(CallInvoker calls, bool isLoaned, string lot, byte[] pixels)
    {
        if (!isLoaned)
        {
            var plain = new WaferMap { Lot = lot, Wafer = 7, Pixels = ByteString.CopyFrom(pixels) };
            return await new Wafers.WafersClient(calls).SharpenAsync(plain, Options()).ResponseAsync.InTime();
        }

        using var request = Create(lot, pixels);
        using var call = calls.AsyncUnaryCall(WaferMethods.Sharpen, null, Options(), request);
        using var response = await call.ResponseAsync.InTime();
        var answer = response.Message.Clone();
        answer.Pixels = ByteString.CopyFrom(response.Payload.ToArray());
        return answer;
    }

    /// <summary>The end of a call in the server may come behind the answer.</summary>
    private static async Task NothingIsOnLoanAsync(WaferServer server)
    {
        await TimeLimit.UntilAsync(static () => WaferMethods.Pool.LoanedBytes == 0);
        Assert.All(server.Notes.Received, static loan => Assert.Throws<ObjectDisposedException>(() => loan.Payload));
        Assert.Equal(0, WaferMethods.Pool.ForgottenLoans);
    }
}

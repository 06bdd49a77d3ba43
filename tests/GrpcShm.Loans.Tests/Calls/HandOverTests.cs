using System.Buffers;
using Google.Protobuf;
using Grpc.Core;

namespace GrpcShm.Loans.Tests.Calls;

/// <summary>
/// In calls that are framed natively, a loan takes over the memory in which a large message has come, and a message is
/// sent from the memory in which its payload lies.
/// </summary>
[Collection(WaferCollection.Name)]
public sealed class HandOverTests
{
    private const int MiB = 1024 * 1024;

    // What was handed over goes back to where it came from, and not into the pool.
    [Theory]
    [InlineData(Way.Native, 4 * MiB, false, true)]
    [InlineData(Way.Native, 4 * MiB, true, false)]
    [InlineData(Way.Native, 1000, false, false)]
    [InlineData(Way.Direct, 4 * MiB, false, false)]
    public async Task Response_ThatIsLarge_IsHandedOver(Way way, int size, bool findMisuse, bool isHandedOver)
    {
        var pool = new LoanPool(new LoanPoolOptions { FindMisuse = findMisuse });
        await using var server = await WaferServer.StartAsync(way, isLoaned: false);
        var pixels = WaferPixels.Create(size, 1);
        var calls = await ConnectAsync(server, way);
        for (var i = 0; i < 3; i++)
        {
            using var response = await CallAsync(calls, pool, "", pixels);

            Assert.Equal(WaferPixels.Invert(pixels), response.Payload.ToArray());
            Assert.InRange(pool.LoanedBytes, size, Math.Max(4096, 2 * size));
        }

        Assert.Equal(0, pool.LoanedBytes);
        Assert.Equal(isHandedOver, pool.KeptBytes == 0);
    }

    [Fact]
    public async Task Response_HandedOver_OutlivesItsCallAndTheNext()
    {
        var pool = new LoanPool();
        await using var server = await WaferServer.StartAsync(Way.Native, isLoaned: false);
        var calls = await ConnectAsync(server, Way.Native);
        var first = WaferPixels.Create(4 * MiB, 1);

        using var response = await CallAsync(calls, pool, "echo", first);
        for (var i = 2; i < 6; i++)
        {
            (await CallAsync(calls, pool, "echo", WaferPixels.Create(4 * MiB, i))).Dispose();
        }

        Assert.Equal(first, response.Payload.ToArray());
    }

    [Fact]
    public async Task Response_OfWhichThePayloadIsAPart_IsNotKeptAsAWhole()
    {
        var pool = new LoanPool(new LoanPoolOptions { FindMisuse = false });
        await using var server = await WaferServer.StartAsync(Way.Native, isLoaned: false);
        var calls = await ConnectAsync(server, Way.Native);

        // Most of what has come is other things, in other pieces.
        var request = new WaferMap { Lot = "echo", Recipe = ByteString.CopyFrom(new byte[4 * MiB]) };
        using (var response = await CallAsync(calls, pool, request, WaferPixels.Create(100_000, 1)))
        {
            Assert.Equal(WaferPixels.Create(100_000, 1), response.Payload.ToArray());
            Assert.InRange(pool.LoanedBytes, 100_000, 200_000);
        }

        Assert.Equal(0, pool.LoanedBytes);
    }

    [Fact]
    public async Task Response_HandedOverBeyondTheBound_IsResourceExhausted()
    {
        var pool = new LoanPool(new LoanPoolOptions { MaxLoanedBytes = MiB });
        await using var server = await WaferServer.StartAsync(Way.Native, isLoaned: false);
        var calls = await ConnectAsync(server, Way.Native);

        var failure = await Assert.ThrowsAsync<RpcException>(
            () => CallAsync(calls, pool, "echo", WaferPixels.Create(4 * MiB, 1)));

        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
        Assert.Equal(0, pool.LoanedBytes);
        using var small = await CallAsync(calls, pool, "echo", WaferPixels.Create(1000, 1));
        Assert.Equal(WaferPixels.Create(1000, 1), small.Payload.ToArray());
    }

    [Fact]
    public async Task Response_WhoseMemoryWouldBeBeyondTheBound_IsCopied()
    {
        // The payload lies in memory of a little more than 4 MiB.
        var pool = new LoanPool(new LoanPoolOptions { MaxLoanedBytes = 4 * MiB, FindMisuse = false });
        await using var server = await WaferServer.StartAsync(Way.Native, isLoaned: false);
        var calls = await ConnectAsync(server, Way.Native);

        using (var response = await CallAsync(calls, pool, "echo", WaferPixels.Create(4 * MiB, 1)))
        {
            Assert.Equal(WaferPixels.Create(4 * MiB, 1), response.Payload.ToArray());
            Assert.True(response.Payload.IsSingleSegment);
            Assert.Equal(4 * MiB, pool.LoanedBytes);
        }

        Assert.Equal(0, pool.LoanedBytes);
    }

    [Theory]
    [InlineData(Way.Native, true)]
    [InlineData(Way.Direct, false)]
    [InlineData(Way.Socket, false)]
    public async Task Request_ThatIsLarge_IsHandedOverToItsHandler(Way way, bool isHandedOver)
    {
        await using var server = await WaferServer.StartAsync(way, isLoaned: true);
        var pool = new LoanPool();
        var pixels = WaferPixels.Create(MiB, 1);

        // The first call of a server is not dispatched natively.
        (await CallAsync(server.Connect(way).CreateCallInvoker(), pool, "", [])).Dispose();
        (await CallAsync(server.Connect(way).CreateCallInvoker(), pool, "keep", pixels)).Dispose();

        var kept = Assert.Single(server.Notes.Received, static loan => loan.Message.Lot == "keep");
        Assert.Equal(pixels, kept.Payload.ToArray());

        // A copy lies in one piece.
        Assert.Equal(isHandedOver && !WaferMethods.Pool.FindsMisuse, !kept.Payload.IsSingleSegment);
        kept.Dispose();
        await TimeLimit.UntilAsync(static () => WaferMethods.Pool.LoanedBytes == 0);
    }

    [Fact]
    public async Task Loan_DisposedOfWhileItIsBeingSent_IsSentAsItWas()
    {
        var pool = new LoanPool(new LoanPoolOptions { FindMisuse = false });
        await using var server = await WaferServer.StartAsync(Way.Native, isLoaned: true);
        var maps = Loaned.CreateMarshaller(WaferMap.Parser, WaferMap.PixelsFieldNumber, pool);
        var calls = await ConnectAsync(server, Way.Native);
        var method = Loaned.CreateMethod(Wafers.Descriptor, nameof(Wafers.WafersClient.Sharpen), maps, maps);
        for (var i = 0; i < 20; i++)
        {
            var pixels = WaferPixels.Create(4 * MiB, i);
            var request = Loaned.Create(new WaferMap(), pixels.Length, pool);
            pixels.CopyTo(request.Memory);
            using var call = calls.AsyncUnaryCall(method, null, Options(), request);
            request.Dispose();

            // The same memory, if it has come back.
            using (var next = Loaned.Create(new WaferMap(), pixels.Length, pool))
            {
                next.Memory.Span.Fill(0xee);
            }

            using var response = await call.ResponseAsync.InTime();
            Assert.Equal(WaferPixels.Invert(pixels), response.Payload.ToArray());
        }

        await TimeLimit.UntilAsync(() => pool.LoanedBytes == 0);
    }

    [Theory]
    [InlineData(Way.Native)]
    [InlineData(Way.Direct)]
    [InlineData(Way.Socket)]
    public async Task Loan_FilledAgainBehindABufferHint_WasSentAsItWas(Way way)
    {
        await using var server = await WaferServer.StartAsync(way, isLoaned: true);
        var calls = await ConnectAsync(server, way);
        using var call = calls.AsyncServerStreamingCall(
            WaferMethods.Load,
            null,
            Options().WithHeaders(new Metadata { { "refill", "" } }),
            new LoadRequest { Count = 5, Size = MiB });

        for (var i = 0; i < 5; i++)
        {
            Assert.True(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken).InTime());
            using var map = call.ResponseStream.Current;
            Assert.Equal(WaferPixels.Create(MiB, i), map.Payload.ToArray());
        }

        Assert.False(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken).InTime());
    }

    [Theory]
    [InlineData(Way.Native)]
    [InlineData(Way.Direct)]
    [InlineData(Way.Socket)]
    public async Task Loan_OfACallThatIsGivenUpOnItsWay_ComesBack(Way way)
    {
        var pool = new LoanPool();
        await using var server = await WaferServer.StartAsync(way, isLoaned: true);
        var maps = Loaned.CreateMarshaller(WaferMap.Parser, WaferMap.PixelsFieldNumber, pool);
        var calls = server.Connect(way).CreateCallInvoker();
        var method = Loaned.CreateMethod(Wafers.Descriptor, nameof(Wafers.WafersClient.Sharpen), maps, maps);
        var random = new Random(3);
        for (var i = 0; i < 40; i++)
        {
            using var request = Loaned.Create(new WaferMap(), 8 * MiB, pool);
            using var call = calls.AsyncUnaryCall(method, null, Options(), request);
            Thread.SpinWait(random.Next(200_000));
            call.Dispose();
            if (call.ResponseAsync.IsCompletedSuccessfully)
            {
                // It was faster, and belongs to the caller.
                (await call.ResponseAsync).Dispose();
            }
        }

        await TimeLimit.UntilAsync(() =>
        {
            if (way != Way.Native)
            {
                // grpc-dotnet drops a response that comes at the moment of the disposal.
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }

            return pool.LoanedBytes == 0 && WaferMethods.Pool.LoanedBytes == 0;
        });
        Assert.True(way != Way.Native || pool.ForgottenLoans == 0, $"{pool.ForgottenLoans} loans were forgotten.");
    }

    /// <summary>Connects. The first call of a server is not dispatched natively.</summary>
    private static async Task<CallInvoker> ConnectAsync(WaferServer server, Way way)
    {
        var calls = server.Connect(way).CreateCallInvoker();
        (await CallAsync(calls, new LoanPool(), "echo", [])).Dispose();
        return calls;
    }

    private static Task<Loaned<WaferMap>> CallAsync(CallInvoker calls, LoanPool pool, string lot, byte[] pixels) =>
        CallAsync(calls, pool, new WaferMap { Lot = lot }, pixels);

    private static async Task<Loaned<WaferMap>> CallAsync(
        CallInvoker calls, LoanPool pool, WaferMap message, byte[] pixels)
    {
        var maps = Loaned.CreateMarshaller(WaferMap.Parser, WaferMap.PixelsFieldNumber, pool);
        using var request = Loaned.Create(message, new ReadOnlySequence<byte>(pixels));
        using var call = calls.AsyncUnaryCall(
            Loaned.CreateMethod(Wafers.Descriptor, nameof(Wafers.WafersClient.Sharpen), maps, maps),
            null,
            Options(),
            request);
        return await call.ResponseAsync.InTime();
    }

    private static CallOptions Options() =>
        new(deadline: TimeLimit.Deadline, cancellationToken: TestContext.Current.CancellationToken);
}

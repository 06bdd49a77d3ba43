using System.Buffers;
using Google.Protobuf;
using Grpc.Core;

namespace GrpcShm.Loans.Tests.Calls;

/// <summary>
/// A channel that frames its calls by itself gathers a large response in an array, which a loan takes over.
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
    public async Task Response_LargeAndGathered_IsHandedOver(Way way, int size, bool findMisuse, bool isHandedOver)
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
    public async Task Response_OfWhichThePayloadIsAPart_IsCopied()
    {
        var pool = new LoanPool(new LoanPoolOptions { FindMisuse = false });
        await using var server = await WaferServer.StartAsync(Way.Native, isLoaned: false);
        var calls = await ConnectAsync(server, Way.Native);

        // The array is mostly of other things: a loan would keep it all.
        var request = new WaferMap { Lot = "echo", Recipe = ByteString.CopyFrom(new byte[4 * MiB]) };
        using (var response = await CallAsync(calls, pool, request, WaferPixels.Create(100_000, 1)))
        {
            Assert.Equal(WaferPixels.Create(100_000, 1), response.Payload.ToArray());
            Assert.InRange(pool.LoanedBytes, 100_000, 125_000);
        }

        Assert.InRange(pool.KeptBytes, 100_000, 125_000);
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
        // What has come is a little more than 4 MiB, in memory of 8.
        var pool = new LoanPool(new LoanPoolOptions { MaxLoanedBytes = 6 * MiB, FindMisuse = false });
        await using var server = await WaferServer.StartAsync(Way.Native, isLoaned: false);
        var calls = await ConnectAsync(server, Way.Native);

        using (var response = await CallAsync(calls, pool, "echo", WaferPixels.Create(4 * MiB, 1)))
        {
            Assert.Equal(WaferPixels.Create(4 * MiB, 1), response.Payload.ToArray());
            Assert.InRange(pool.LoanedBytes, 4 * MiB, 6 * MiB);
        }

        Assert.Equal(0, pool.LoanedBytes);
    }

    /// <summary>Connects. The first call, which makes the connection, goes through grpc-dotnet.</summary>
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
            new CallOptions(deadline: TimeLimit.Deadline, cancellationToken: TestContext.Current.CancellationToken),
            request);
        return await call.ResponseAsync.InTime();
    }
}

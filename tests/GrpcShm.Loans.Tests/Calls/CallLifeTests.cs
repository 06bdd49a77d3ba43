using System.Buffers;
using Grpc.Core;
using GrpcShm.Loans.Memory;

namespace GrpcShm.Loans.Tests.Calls;

/// <summary>Which loans end with their calls, in each mode alike.</summary>
[Collection(WaferCollection.Name)]
public sealed class CallLifeTests
{
    private const int Size = 100_000;

    [Theory]
    [InlineData(Way.Native)]
    [InlineData(Way.Direct)]
    [InlineData(Way.Socket)]
    public async Task Request_ThatIsKept_OutlivesItsCall(Way way)
    {
        await using var server = await WaferServer.StartAsync(way, isLoaned: true);

        (await CallAsync(server, way, "keep")).Dispose();

        var kept = Assert.Single(server.Notes.Received);
        await TimeLimit.UntilAsync(() => AreOnLoan(way, 1));
        Assert.Equal(WaferPixels.Create(Size, 1), kept.Payload.ToArray());
        kept.Dispose();
        Assert.Equal(0, WaferMethods.Pool.LoanedBytes);
    }

    [Theory]
    [InlineData(Way.Native)]
    [InlineData(Way.Direct)]
    [InlineData(Way.Socket)]
    public async Task Response_ThatIsKept_OutlivesItsCall(Way way)
    {
        await using var server = await WaferServer.StartAsync(way, isLoaned: true);

        (await CallAsync(server, way, "keep the response")).Dispose();

        await TimeLimit.UntilAsync(() => AreOnLoan(way, 1));
        var (request, kept) = (server.Notes.Received.First(), server.Notes.Received.Last());
        Assert.Throws<ObjectDisposedException>(() => request.Payload);
        Assert.Equal(WaferPixels.Invert(WaferPixels.Create(Size, 1)), kept.Payload.ToArray());
        kept.Dispose();
        Assert.Equal(0, WaferMethods.Pool.LoanedBytes);
    }

    [Theory]
    [InlineData(Way.Native)]
    [InlineData(Way.Direct)]
    [InlineData(Way.Socket)]
    public async Task Loans_WithoutAddLoans_AreLeftToTheHandler(Way way)
    {
        await using var server = await WaferServer.StartAsync(way, isLoaned: true, endsLoans: false);

        (await CallAsync(server, way, "keep the response")).Dispose();

        Assert.True(AreOnLoan(way, 2), $"{WaferMethods.Pool.LoanedBytes} bytes are on loan.");
        Assert.All(server.Notes.Received, static loan => loan.Dispose());
        Assert.Equal(0, WaferMethods.Pool.LoanedBytes);
    }

    [Theory]
    [InlineData(Way.Native)]
    [InlineData(Way.Direct)]
    [InlineData(Way.Socket)]
    public async Task Request_ThatAnInterceptorRefuses_IsGivenBackWithItsCall(Way way)
    {
        await using var server = await WaferServer.StartAsync(way, isLoaned: true);

        var failure = await Assert.ThrowsAsync<RpcException>(() => CallAsync(server, way, "refuse"));

        Assert.Equal(StatusCode.PermissionDenied, failure.StatusCode);
        await TimeLimit.UntilAsync(static () => WaferMethods.Pool.LoanedBytes == 0);
        Assert.Equal(0, WaferMethods.Pool.ForgottenLoans);
    }

    [Theory]
    [InlineData(Way.Native)]
    [InlineData(Way.Direct)]
    [InlineData(Way.Socket)]
    public async Task Handler_ThatFails_LeavesNothingOnLoan(Way way)
    {
        await using var server = await WaferServer.StartAsync(way, isLoaned: true);

        var failure = await Assert.ThrowsAsync<RpcException>(() => CallAsync(server, way, "throw"));

        Assert.Equal(StatusCode.DataLoss, failure.StatusCode);
        await TimeLimit.UntilAsync(static () => WaferMethods.Pool.LoanedBytes == 0);
    }

    [Theory]
    [InlineData(Way.Native)]
    [InlineData(Way.Direct)]
    [InlineData(Way.Socket)]
    public async Task Response_ThatIsDisposedOfBeforeItIsSent_IsAFailureOfTheHandler(Way way)
    {
        await using var server = await WaferServer.StartAsync(way, isLoaned: true);

        var failure = await Assert.ThrowsAsync<RpcException>(() => CallAsync(server, way, "dispose"));

        Assert.Equal(StatusCode.Unknown, failure.StatusCode);
        await TimeLimit.UntilAsync(static () => WaferMethods.Pool.LoanedBytes == 0);
    }

    [Theory]
    [InlineData(Way.Native)]
    [InlineData(Way.Direct)]
    [InlineData(Way.Socket)]
    public async Task Call_ThatIsCancelled_KeepsItsLoansUntilTheHandlerHasEnded(Way way)
    {
        await using var server = await WaferServer.StartAsync(way, isLoaned: true);
        (await CallAsync(server, way, "invert")).Dispose();
        using var request = Create("wait");
        using var cancellation = new CancellationTokenSource();
        using var call = server.Connect(way).CreateCallInvoker().AsyncUnaryCall(
            WaferMethods.Sharpen, null, new CallOptions(cancellationToken: cancellation.Token), request);
        await server.Notes.Waiting.Task.InTime();

        await cancellation.CancelAsync();

        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.InTime());
        Assert.Equal(StatusCode.Cancelled, failure.StatusCode);
        Assert.True(AreOnLoan(way, 2), $"{WaferMethods.Pool.LoanedBytes} bytes are on loan.");
        server.Notes.Go.SetResult();
        request.Dispose();
        await TimeLimit.UntilAsync(static () => WaferMethods.Pool.LoanedBytes == 0);
        Assert.Equal(Size, server.Notes.LengthAfterCancellation);
    }

    [Theory]
    [InlineData(Way.Native, "")]
    [InlineData(Way.Native, "dispose")]
    [InlineData(Way.Direct, "")]
    [InlineData(Way.Direct, "dispose")]
    [InlineData(Way.Socket, "")]
    [InlineData(Way.Socket, "dispose")]
    public async Task Requests_OfAStream_EndWithItUnlessTheHandlerDisposesOfThem(Way way, string lot)
    {
        const int Count = 100;
        await using var server = await WaferServer.StartAsync(way, isLoaned: true);
        using var call = server.Connect(way).CreateCallInvoker().AsyncClientStreamingCall(
            WaferMethods.Store, null, Options());
        using (var map = Create(lot))
        {
            for (var i = 0; i < Count; i++)
            {
                await call.RequestStream.WriteAsync(map, TestContext.Current.CancellationToken).InTime();
            }
        }

        await call.RequestStream.CompleteAsync().InTime();
        var stored = await call.ResponseAsync.InTime();

        Assert.Equal(Count, stored.Count);
        Assert.True(AreOnLoan(way, lot == "dispose" ? 0 : Count, server.Notes.MostLoanedBytes));
        await TimeLimit.UntilAsync(static () => WaferMethods.Pool.LoanedBytes == 0);
    }

    [Theory]
    [InlineData(Way.Native)]
    [InlineData(Way.Direct)]
    [InlineData(Way.Socket)]
    public async Task Requests_BeyondTheBoundOfThePool_AreResourceExhausted(Way way)
    {
        await using var server = await WaferServer.StartAsync(way, isLoaned: true);
        using var call = server.Connect(way).CreateCallInvoker().AsyncClientStreamingCall(
            WaferMethods.Store, null, Options());
        using (var map = Loaned.Create(
            new WaferMap(), new ReadOnlySequence<byte>(WaferPixels.Create(4 * 1024 * 1024, 1))))
        {
            try
            {
                for (var i = 0; i < 17; i++)
                {
                    await call.RequestStream.WriteAsync(map, TestContext.Current.CancellationToken).InTime();
                }

                await call.RequestStream.CompleteAsync().InTime();
            }
            catch (RpcException)
            {
                // The call has failed before the last one was written. Its end says why.
            }
        }

        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.InTime());

        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
        await TimeLimit.UntilAsync(static () => WaferMethods.Pool.LoanedBytes == 0);
    }

    [Theory]
    [InlineData(Way.Native)]
    [InlineData(Way.Direct)]
    [InlineData(Way.Socket)]
    public async Task Response_BeyondTheBoundOfThePool_IsResourceExhausted(Way way)
    {
        await using var server = await WaferServer.StartAsync(way, isLoaned: false);
        using var most = Loaned.Create(new WaferMap(), 63 * 1024 * 1024, WaferMethods.Pool);
        using var request = Loaned.Create(
            new WaferMap { Lot = "echo" }, new ReadOnlySequence<byte>(new byte[2 * 1024 * 1024]));
        using var call = server.Connect(way).CreateCallInvoker().AsyncUnaryCall(
            WaferMethods.Sharpen, null, Options(), request);

        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.InTime());

        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
    }

    [Theory]
    [InlineData(Way.Native)]
    [InlineData(Way.Direct)]
    public async Task Calls_ManyAtOnce_LeaveNothingOnLoan(Way way)
    {
        await using var server = await WaferServer.StartAsync(way, isLoaned: true);
        var calls = server.Connect(way).CreateCallInvoker();

        await Task.WhenAll(Enumerable.Range(0, 8).Select(number => Task.Run(async () =>
        {
            for (var i = 0; i < 50; i++)
            {
                var pixels = WaferPixels.Create(10_000 * (number + 1), i);
                using var request = Loaned.Create(new WaferMap(), pixels.Length, WaferMethods.Pool);
                pixels.CopyTo(request.Memory);
                using var call = calls.AsyncUnaryCall(WaferMethods.Sharpen, null, Options(), request);
                using var response = await call.ResponseAsync.InTime();
                Assert.Equal(WaferPixels.Invert(pixels), response.Payload.ToArray());
            }
        }))).InTime();

        await TimeLimit.UntilAsync(static () => WaferMethods.Pool.LoanedBytes == 0);
        Assert.Equal(0, WaferMethods.Pool.ForgottenLoans);
    }

    private static bool AreOnLoan(Way way, int count) => AreOnLoan(way, count, WaferMethods.Pool.LoanedBytes);

    /// <summary>
    /// Whether so many payloads are on loan. What was handed over lies in less than twice its size, a copy in one piece
    /// of the pool.
    /// </summary>
    private static bool AreOnLoan(Way way, int count, long bytes)
    {
        SizeClass.Find(Size, out var piece);
        return way == Way.Native
            ? bytes >= count * Size && bytes <= 2L * count * Size
            : bytes == (long)count * piece;
    }

    private static CallOptions Options() => new(
        deadline: TimeLimit.Deadline, cancellationToken: TestContext.Current.CancellationToken);

    private static Loaned<WaferMap> Create(string lot)
    {
        var map = Loaned.Create(new WaferMap { Lot = lot }, Size, WaferMethods.Pool);
        WaferPixels.Fill(map.Memory.Span, 1);
        return map;
    }

    private static async Task<Loaned<WaferMap>> CallAsync(WaferServer server, Way way, string lot)
    {
        using var request = Create(lot);
        using var call = server.Connect(way).CreateCallInvoker().AsyncUnaryCall(
            WaferMethods.Sharpen, null, Options(), request);
        return await call.ResponseAsync.InTime();
    }
}

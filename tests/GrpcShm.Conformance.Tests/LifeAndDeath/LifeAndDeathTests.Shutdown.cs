using Grpc.Core;
using Google.Protobuf.WellKnownTypes;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.TestHost;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.Conformance.Tests.LifeAndDeath;

/// <summary>Servers that stop in order.</summary>
public abstract partial class LifeAndDeathTests
{
    [Fact]
    public async Task Stop_WithCallsInFlight_LetsThemFinishFirst()
    {
        await using var server = await StartServerAsync("--shutdown-timeout", "00:00:50");
        using var channel = server.CreateChannel();
        var client = new TestService.TestServiceClient(channel);
        using var unary = client.WaitAsync(new WaitRequest { Gate = "end", SendHeadersFirst = true }, Call());
        using var duplex = client.Converse(Call());
        await unary.ResponseHeadersAsync.InTime();
        await ExchangeAsync();

        // The endpoint closes first: from then on the server is stopping, and accepts no new clients.
        await server.Process.RequestStopAsync();
        await TimeLimit.UntilAsync(() => IsRefusedAsync(server));

        await ExchangeAsync();
        await duplex.RequestStream.CompleteAsync().InTime();
        Assert.False(await duplex.ResponseStream.MoveNext(TestToken).InTime());
        Assert.Equal(StatusCode.OK, duplex.GetStatus().StatusCode);
        await server.Process.WriteAsync("open end");
        await unary.InTime();
        await server.Process.ReadAsync(HostMessage.Stopped);
        Assert.Equal(0, await server.Process.WaitForExitAsync());

        async Task ExchangeAsync()
        {
            var request = new ConverseRequest { Pieces = { new Piece { Size = 10 } } };
            await duplex.RequestStream.WriteAsync(request, TestToken).InTime();
            Assert.True(await duplex.ResponseStream.MoveNext(TestToken).InTime());
        }
    }

    [Fact]
    public async Task Stop_WithACallThatDoesNotFinish_EndsAfterItsTimeout()
    {
        await using var server = await StartServerAsync("--shutdown-timeout", "00:00:01");
        using var channel = server.CreateChannel();
        using var call = new TestService.TestServiceClient(channel)
            .WaitAsync(new WaitRequest { Gate = "never", SendHeadersFirst = true }, Call());
        await call.ResponseHeadersAsync.InTime();

        await server.Process.RequestStopAsync();

        // The status depends on a race in Kestrel: it resets the stream, closes the connection, and cancels the token.
        await call.FailsInTime();
        await server.Process.WaitForExitAsync();
    }

    private static async Task<bool> IsRefusedAsync(ServerHandle server)
    {
        using var channel = server.CreateChannel();
        try
        {
            await new TestService.TestServiceClient(channel).NothingAsync(new Empty(), Call());
            return false;
        }
        catch (RpcException e)
        {
            // A call that was accepted just before the stop ends as the race in Kestrel decides, so the test asks once
            // more.
            return e.StatusCode == StatusCode.Unavailable;
        }
    }
}

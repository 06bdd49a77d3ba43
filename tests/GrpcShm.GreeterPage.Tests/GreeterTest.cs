using Grpc.Core;

namespace GrpcGreeter.Tests;

public sealed class GreeterTest
{
    [Fact]
    public async Task SayHello_Ada_GreetsAda()
    {
        await using var factory = new GreeterFactory();
        using var channel = factory.CreateChannel();
        var greeter = new Greeter.GreeterClient(channel);

        var reply = await greeter.SayHelloAsync(
            new HelloRequest { Name = "Ada" }, deadline: DateTime.UtcNow.AddSeconds(30));

        Assert.Equal("Hello Ada", reply.Message);
    }

    [Fact]
    public async Task SayHello_ServerHasEnded_IsUnavailable()
    {
        var factory = new GreeterFactory();
        using var channel = factory.CreateChannel();
        var greeter = new Greeter.GreeterClient(channel);
        await greeter.SayHelloAsync(new HelloRequest(), deadline: DateTime.UtcNow.AddSeconds(30));

        await factory.DisposeAsync();

        var failure = await Assert.ThrowsAsync<RpcException>(async () =>
            await greeter.SayHelloAsync(new HelloRequest(), deadline: DateTime.UtcNow.AddSeconds(30)));
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
    }
}

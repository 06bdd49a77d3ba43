using Grpc.Core;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Primitives;

namespace GrpcShm.Hosting.Tests;

/// <summary>Responses that middleware makes in a wrong way: in direct mode they fail as they do over HTTP/2.</summary>
public sealed class FailedResponseTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(SharedMemoryMode.Direct)]
    [InlineData(SharedMemoryMode.Http2)]
    public async Task BadRequest_AfterACallbackHasFailed_DecidesTheStatus(SharedMemoryMode mode)
    {
        Exception? ofWrite = null;
        var failure = await CallAsync(mode, async (context, _) =>
        {
            context.Response.OnStarting(static () => throw new InvalidOperationException("on purpose"));
            ofWrite = await Record.ExceptionAsync(
                async () => await context.Response.BodyWriter.WriteAsync(new byte[1000], Token));
            throw new BadHttpRequestException("on purpose", StatusCodes.Status413PayloadTooLarge);
        });

        Assert.Contains("413", failure.Status.Detail, StringComparison.Ordinal);
        Assert.IsType<ObjectDisposedException>(ofWrite);
    }

    [Theory]
    [InlineData(SharedMemoryMode.Direct)]
    [InlineData(SharedMemoryMode.Http2)]
    public async Task Complete_WithALengthThatTheStatusDoesNotHave_TellsItsCaller(SharedMemoryMode mode)
    {
        Exception? ofCompletion = null;
        await CallAsync(mode, async (context, _) =>
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            context.Response.ContentLength = 5;
            context.Response.BodyWriter.GetSpan(5);
            context.Response.BodyWriter.Advance(5);
            ofCompletion = await Record.ExceptionAsync(context.Response.CompleteAsync);
        });

        Assert.IsType<InvalidOperationException>(ofCompletion);
    }

    [Theory]
    [InlineData(SharedMemoryMode.Direct)]
    [InlineData(SharedMemoryMode.Http2)]
    public async Task AddHeader_ThatIsThereAlready_HasItsValueCheckedFirst(SharedMemoryMode mode)
    {
        List<Type?> thrown = [];
        await CallAsync(mode, (context, _) =>
        {
            IDictionary<string, StringValues> headers = context.Response.Headers;
            headers["x-name"] = "value";
            thrown.Add(Record.Exception(() => headers.Add("x-name", "\u0080"))?.GetType());
            thrown.Add(Record.Exception(() => headers.Add("x-name", "other"))?.GetType());
            context.Response.ContentLength = 5;
            thrown.Add(Record.Exception(() => headers.Add("content-length", "none"))?.GetType());
            Assert.Equal(5, context.Response.ContentLength);
            throw new BadHttpRequestException("on purpose");
        });

        Assert.Equal([typeof(InvalidOperationException), typeof(ArgumentException), typeof(ArgumentException)], thrown);
    }

    private static async Task<RpcException> CallAsync(
        SharedMemoryMode mode, Func<HttpContext, RequestDelegate, Task> middleware)
    {
        await using var server = await TestServer.StartAsync(builder =>
        {
            builder.WebHost.ConfigureKestrel(static kestrel => kestrel.ListenSharedMemory("greeter"));
            builder.Services.AddSingleton<IStartupFilter>(new MiddlewareFilter(middleware));
        });
        using var channel = SharedMemoryChannel.CreateGrpcChannel(
            "greeter", new SharedMemoryClientOptions
            {
                RuntimeDirectory = server.Directory, Mode = mode, ConnectTimeout = TimeLimit.Value,
            });
        var client = new Greeter.GreeterClient(channel);
        return await Assert.ThrowsAsync<RpcException>(
            async () => await client.GreetAsync(new Greeting { Name = "Ada" }, null, TimeLimit.Deadline, Token));
    }
}

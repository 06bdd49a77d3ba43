using System.Buffers;
using System.IO.Pipelines;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.Hosting.Tests;

/// <summary>Handlers that leave their call in a state in which it cannot end, or be used again, as usual.</summary>
public sealed class HandlerEndTests
{
    private const int Size = 3000;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Handler_LeavesAReader_WhichSeesNothingOfOtherCalls()
    {
        ReadResult? kept = null;
        await using var server = await StartAsync(async context =>
        {
            var result = await context.Request.BodyReader.ReadAtLeastAsync(Size, Token);
            if (kept is null)
            {
                kept = result;
                return;
            }

            context.Request.BodyReader.AdvanceTo(result.Buffer.End);
        });
        using var invoker = CreateInvoker(server);

        await PostAsync(invoker, 1);
        for (var i = 0; i < 50; i++)
        {
            await PostAsync(invoker, 2);
        }

        Assert.Equal(Body(1), kept!.Value.Buffer.ToArray());
    }

    [Fact]
    public async Task Handler_HasTrailersThatCannotBeSent_FailsItsCallAlone()
    {
        await using var server = await StartAsync(async context =>
        {
            context.Response.DeclareTrailer("x-large");
            await context.Response.StartAsync(Token);
            context.Response.AppendTrailer(
                "x-large", new string('x', context.Request.Path == "/test/large" ? 100_000 : 10));
        });
        using var invoker = CreateInvoker(server);
        using var request = CreateRequest("http://localhost/test/large", 1);

        await Assert.ThrowsAnyAsync<HttpRequestException>(async () =>
        {
            using var response = await invoker.SendAsync(request, Token).WaitAsync(TimeLimit.Value, Token);
            await response.Content.ReadAsByteArrayAsync(Token).WaitAsync(TimeLimit.Value, Token);
        });
        await PostAsync(invoker, 1);
        await server.StopAsync();
    }

    [Theory]
    [InlineData("write")]
    [InlineData("flush")]
    [InlineData("start")]
    [InlineData("complete")]
    public async Task Handler_LeavesAWriteBehindThatWaitsForTheStart_OtherCallsSeeNothingOfIt(string what)
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var first = new TaskCompletionSource<Task>(TaskCreationOptions.RunContinuationsAsynchronously);
        var isFirst = true;
        var hasStarted = false;
        await using var server = await StartAsync(async context =>
        {
            if (isFirst)
            {
                isFirst = false;
                context.Response.OnStarting(() => gate.Task);
                first.SetResult(what switch
                {
                    "write" => context.Response.Body.WriteAsync(Body(1)).AsTask(),
                    "flush" => context.Response.BodyWriter.FlushAsync().AsTask(),
                    "start" => context.Response.StartAsync(),
                    _ => context.Response.CompleteAsync(),
                });
                return;
            }

            await context.Request.Body.CopyToAsync(Stream.Null, Token);

            // If the work that was left behind touches another call, it does so while that call is served.
            gate.TrySetResult();
            await ((Task)await first.Task).ContinueWith(
                static _ => { }, Token, TaskContinuationOptions.None, TaskScheduler.Default);
            hasStarted |= context.Response.HasStarted;
        });
        using var invoker = CreateInvoker(server);

        for (var i = 0; i < 20; i++)
        {
            await PostAsync(invoker, 2);
        }

        Assert.False(hasStarted);
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await await first.Task);
    }

    [Fact]
    public async Task Handler_KeepsTheStreams_WhichSeeNothingOfOtherCalls()
    {
        Stream? request = null;
        Stream? response = null;
        await using var server = await StartAsync(async context =>
        {
            if (request is null)
            {
                request = context.Request.Body;
                response = context.Response.Body;
            }
            else
            {
                await Assert.ThrowsAsync<ObjectDisposedException>(() => request.CopyToAsync(Stream.Null, Token));
                await Assert.ThrowsAsync<ObjectDisposedException>(
                    async () => await response!.WriteAsync(Body(1), Token));
            }

            await context.Request.Body.CopyToAsync(Stream.Null, Token);
        });
        using var invoker = CreateInvoker(server);

        for (var i = 0; i < 20; i++)
        {
            await PostAsync(invoker, 2);
        }
    }

    [Fact]
    public async Task TraceIdentifier_OfEachCall_HasItsNumberOnTheConnection()
    {
        var identifiers = new List<string>();
        var connectionId = "";
        await using var server = await StartAsync(async context =>
        {
            connectionId = context.Connection.Id;
            identifiers.Add(context.TraceIdentifier);
            await context.Request.Body.CopyToAsync(Stream.Null, Token);
        });
        using var invoker = CreateInvoker(server);

        for (var i = 0; i < 20; i++)
        {
            await PostAsync(invoker, 2);
        }

        Assert.Equal(Enumerable.Range(1, 20).Select(i => $"{connectionId}:{i:X8}"), identifiers);
    }

    private static byte[] Body(byte value) => [.. Enumerable.Repeat(value, Size)];

    private static HttpMessageInvoker CreateInvoker(TestServer server) => new(SharedMemoryChannel.CreateHandler(
        "greeter",
        new SharedMemoryClientOptions
        {
            RuntimeDirectory = server.Directory, Mode = SharedMemoryMode.Direct, ConnectTimeout = TimeLimit.Value,
        }));

    private static HttpRequestMessage CreateRequest(string address, byte value)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, address)
        {
            Version = new Version(2, 0),
            Content = new ByteArrayContent(Body(value)),
        };
        request.Content.Headers.ContentType = new("application/grpc");
        request.Headers.TE.ParseAdd("trailers");
        return request;
    }

    private static async Task PostAsync(HttpMessageInvoker invoker, byte value)
    {
        using var request = CreateRequest("http://localhost/test/left", value);
        using var response = await invoker.SendAsync(request, Token).WaitAsync(TimeLimit.Value, Token);
        Assert.Equal(System.Net.HttpStatusCode.OK, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(Token).WaitAsync(TimeLimit.Value, Token));
    }

    private static Task<TestServer> StartAsync(RequestDelegate handler) => TestServer.StartAsync(builder =>
    {
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.ListenSharedMemory("greeter"));
        builder.Services.AddSingleton<IStartupFilter>(new HandlerFilter(handler));
    });

    private sealed class HandlerFilter(RequestDelegate handler) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app => app.Run(handler);
    }
}

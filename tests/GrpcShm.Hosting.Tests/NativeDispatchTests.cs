using GrpcShm.AspNetCore.Direct;
using GrpcShm.AspNetCore.Native.Proof;
using GrpcShm.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Hosting.Tests;

/// <summary>A service as the generator writes it can be dispatched natively, and answers as before.</summary>
public sealed class NativeDispatchTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task GeneratedService_WithNativeDispatch_IsProvedAndAnswers(bool isBehindOwnMiddleware)
    {
        var log = new CollectorProvider();
        var directory = Directory.CreateTempSubdirectory("grpcshm-native-").FullName;
        try
        {
            var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = directory });
            builder.Logging.ClearProviders().AddProvider(log);
            builder.Services.AddGrpc();
            builder.WebHost.ConfigureKestrel(static kestrel => kestrel.ListenSharedMemory("native"));
            builder.WebHost.UseSharedMemory(options => options.RuntimeDirectory = directory);
            await using var app = builder.Build();
            if (isBehindOwnMiddleware)
            {
                app.Use(static (context, next) => next(context));
            }

            app.MapGrpcService<GreeterService>().WithNativeDispatch();
            await app.StartAsync(TestContext.Current.CancellationToken).InTime();

            var table = app.Services.GetRequiredService<DirectApplication>().Native!.Table;
            if (Environment.Version.Major == PipelineWalk.KnownVersion)
            {
                Assert.Empty(table.Refusals);
                Assert.Equal(
                    ["/grpcshm.hosting.Greeter/Greet", "/grpcshm.hosting.Greeter/GreetAll"],
                    table.Endpoints.Select(static endpoint => endpoint.Path).Order());

                var line = Assert.Single(log.Log.Lines, static line => line.Name == "NativeDispatch");
                Assert.EndsWith(
                    isBehindOwnMiddleware ? $"a lambda of {typeof(NativeDispatchTests)}." : ": none.",
                    line.Text,
                    StringComparison.Ordinal);
            }
            else
            {
                // Nobody has looked at what this version's middleware does, and the log says so.
                Assert.Empty(table.Endpoints);
                Assert.Contains(log.Log.Lines, static line => line.Name == "NativeDispatchNotPossible");
            }

            using var channel = SharedMemoryChannel.CreateGrpcChannel(
                "shm:native", new SharedMemoryClientOptions { RuntimeDirectory = directory });
            var client = new Greeter.GreeterClient(channel);
            var answer = await client.GreetAsync(
                new Greeting { Name = "Ada" }, deadline: TimeLimit.Deadline,
                cancellationToken: TestContext.Current.CancellationToken);
            Assert.Equal("Hello, Ada.", answer.Text);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}

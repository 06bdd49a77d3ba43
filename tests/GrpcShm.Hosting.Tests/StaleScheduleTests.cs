using System.Collections.Concurrent;
using System.Net;
using GrpcShm.AspNetCore.Http2;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.Hosting.Tests;

/// <summary>No response is lost if Kestrel has left a mark on a stream that it uses again.</summary>
public sealed class StaleScheduleTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Request_OnAStreamThatCountsAsQueued_IsAnswered(bool isKestrelAddedLater)
    {
        var streams = new StreamWitness();
        await using var server = await TestServer.StartAsync(builder =>
        {
            builder.WebHost.ConfigureKestrel(static kestrel => kestrel.ListenSharedMemory("greeter"));
            builder.Services.AddSingleton<IStartupFilter>(streams);
            if (isKestrelAddedLater)
            {
                builder.WebHost.UseKestrel();
            }
        });
        using var handler = SharedMemoryChannel.CreateHandler(
            "greeter",
            new SharedMemoryClientOptions
            {
                RuntimeDirectory = server.Directory, Mode = SharedMemoryMode.Http2, ConnectTimeout = TimeLimit.Value,
            });
        using var client = new HttpClient(handler, disposeHandler: false)
        {
            BaseAddress = new Uri("http://localhost"),
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

        // Kestrel chooses the stream for a request, so all streams that have served one are marked as the defect marks
        // them.
        var reused = 0;
        for (var i = 0; reused < 5; i++)
        {
            Assert.True(i < 1_000, "Kestrel does not use its streams again.");
            var response = client.GetStringAsync(new Uri("/", UriKind.Relative), Token);
            Assert.Equal("answer", await response.WaitAsync(TimeLimit.Value, Token));
            reused += streams.MarkAll() ? 1 : 0;
        }
    }

    /// <summary>Answers requests, and knows the streams that they have come on.</summary>
    private sealed class StreamWitness : IStartupFilter
    {
        private readonly ConcurrentDictionary<IFeatureCollection, bool> _streams = new(
            ReferenceEqualityComparer.Instance);
        private volatile bool _wasReused;

        /// <returns>True if the last request came on a stream that had served another one before, and had been
        /// marked.</returns>
        public bool MarkAll()
        {
            foreach (var stream in _streams.Keys)
            {
                StaleSchedules.MarkOf(stream) = true;
            }

            return _wasReused;
        }

        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Run(context =>
            {
                _wasReused = !_streams.TryAdd(context.Features, true);
                return context.Response.WriteAsync("answer");
            });
        };
    }
}

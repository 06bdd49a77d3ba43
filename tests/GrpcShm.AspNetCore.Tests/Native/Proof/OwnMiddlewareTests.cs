using GrpcShm.AspNetCore.Native;
using GrpcShm.AspNetCore.Native.Proof;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrpcShm.AspNetCore.Tests.Native.Proof;

/// <summary>What this library does not know is left out only if the service has asked for it.</summary>
public sealed class OwnMiddlewareTests
{
    private const string Lambda = "a lambda of GrpcShm.AspNetCore.Tests.Native.Proof.OwnMiddlewareTests";

    private static readonly Dictionary<string, (string Name, Action<IApplicationBuilder> Use)> Own = new()
    {
        ["class"] = ($"{typeof(OwnMiddleware)}", static app => app.UseMiddleware<OwnMiddleware>()),
        ["class with a service"] =
            ($"{typeof(OwnMiddlewareWithService)}", static app => app.UseMiddleware<OwnMiddlewareWithService>()),
        ["class of a request"] =
            ($"{typeof(OwnMiddlewareOfARequest)}", static app => app.UseMiddleware<OwnMiddlewareOfARequest>()),
        ["lambda"] = (Lambda, static app => app.Use(static (context, next) => next(context))),
        ["lambda that captures"] = (Lambda, static app =>
        {
            var calls = new List<string>();
            app.Use((context, next) =>
            {
                calls.Add(context.TraceIdentifier);
                return next(context);
            });
        }),
        ["lambda of the bare kind"] = (Lambda, static app => app.Use(static next => context => next(context))),
        ["lambda that waits"] = (Lambda, static app => app.Use(static async (context, next) => await next(context))),
    };

    public static TheoryData<string> Kinds => [.. Own.Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Service_WithOptIn_IsNativeAndTheLogNamesTheMiddleware(string kind)
    {
        await using var host = await StartAsync(Own[kind].Use);

        Assert.Null(host.WhyNot());
        Assert.EndsWith(
            $"does not run for them: {Own[kind].Name}.", Assert.Single(host.Lines()).Text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Service_WithoutOptIn_TakesTheFullPipelineAndTheLogNamesTheMiddleware(string kind)
    {
        await using var host = await StartAsync(Own[kind].Use, isAsked: false);

        Assert.Equal($"it is not known what this middleware does: {Own[kind].Name}", host.WhyNot());
        Assert.EndsWith(
            $"take the full pipeline, since {host.WhyNot()}.",
            Assert.Single(host.Lines()).Text,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Service_BehindTheMiddlewareOfAStartupFilter_TakesTheFullPipeline()
    {
        await using var host = await ProofHost.StartAsync(
            services: static services => services.AddSingleton<IStartupFilter, OwnStartupFilter>(), isAsked: false);

        Assert.Equal($"it is not known what this middleware does: {typeof(OwnMiddleware)}", host.WhyNot());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Pipeline_WithoutOptIn_NeedsTheMiddleware(string kind)
    {
        var pipeline = await ProveAsync(Own[kind].Use);

        Assert.Null(pipeline.WhyNot(PlainServiceBase.Path, isAsked: true));
        Assert.Equal(
            $"it is not known what this middleware does: {Own[kind].Name}",
            pipeline.WhyNot(PlainServiceBase.Path, isAsked: false));
    }

    [Fact]
    public async Task Pipeline_OfAPlainApplication_NeedsNothing()
    {
        var pipeline = await ProveAsync(static _ => { });

        Assert.Null(pipeline.WhyNot(PlainServiceBase.Path, isAsked: false));
        Assert.Empty(pipeline.Unknown);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Service_MiddlewareThatActsBehindAnUnknownOne_TakesTheFullPipeline(string kind)
    {
        await using var host = await StartAsync(app =>
        {
            Own[kind].Use(app);
            app.UseWebSockets();
        });

        Assert.Equal("WebSocketMiddleware may act on them", host.WhyNot());
    }

    [Fact]
    public async Task Service_WithoutNativeDispatch_IsNotLookedAt()
    {
        await using var host = await ProofHost.StartAsync(
            map: static app => app.MapGrpcService<PlainService>().WithoutNativeDispatch());

        Assert.Empty(host.Native.Table.Endpoints);
        Assert.Empty(host.Native.Table.Refusals);
        Assert.Empty(host.Lines());
    }

    [Fact]
    public async Task Service_BehindAFork_TakesTheFullPipeline()
    {
        await using var host = await StartAsync(static app => app.UseMiddleware<OwnForkingMiddleware>());

        Assert.Equal($"it is not known what runs behind {typeof(OwnForkingMiddleware)}", host.WhyNot());
    }

    [Fact]
    public async Task Service_BehindAClassThatInheritsFromStockMiddleware_TakesTheFullPipeline()
    {
        await using var host = await StartAsync(static app => app.UseMiddleware<OwnAuthorization>());

        Assert.Equal(
            $"{typeof(OwnAuthorization)} may act on them (inherits from AuthorizationMiddleware)", host.WhyNot());
    }

    [Fact]
    public async Task Service_OwnHttpContextFactory_TakesTheFullPipeline()
    {
        await using var host = await ProofHost.StartAsync(
            services: static services => services.AddSingleton<IHttpContextFactory, OwnFactory>());

        Assert.Equal("the application makes each HttpContext by an IHttpContextFactory of its own", host.WhyNot());
    }

    [Fact]
    public async Task Service_RoutingIsThereTwice_TakesTheFullPipeline()
    {
        await using var host = await StartAsync(static app => app.UseRouting().UseRouting());

        Assert.Equal("it is not known which endpoints the routing chooses from", host.WhyNot());
    }

    [Fact]
    public void Walk_AnotherApplicationThanHostings_IsNotKnown()
    {
        var walk = PipelineWalk.Through(new OwnApplication(), PipelineWalk.KnownVersion);

        Assert.Equal($"the server is given an application of the type {typeof(OwnApplication)}", walk.WhyNotKnown);
        Assert.Null(walk.Routed);
    }

    [Fact]
    public void Walk_AnotherVersionOfAspNetCore_IsNotKnown()
    {
        var walk = PipelineWalk.Through(new OwnApplication(), PipelineWalk.KnownVersion + 1);

        Assert.Equal("this library knows the middleware of ASP.NET Core 10, and this is 11", walk.WhyNotKnown);
    }

    [Fact]
    public void Services_PipelineIsNotKnown_HaveNoMethod()
    {
        using var provider = new ServiceCollection().BuildServiceProvider();
        var services = new NativeServices(
            new(PipelineWalk.NotPossible("nobody knows")), provider, NullLogger.Instance);

        Assert.Empty(services.Table.Endpoints);
    }

    private static Task<ProofHost> StartAsync(Action<IApplicationBuilder> use, bool isAsked = true) =>
        ProofHost.StartAsync(
            use,
            services => _ = isAsked
                ? services.AddTransient<OwnMiddlewareOfARequest>().AddAuthorization()
                : services.AddTransient<OwnMiddlewareOfARequest>(),
            isAsked: isAsked);

    private static async Task<PipelineProof> ProveAsync(Action<IApplicationBuilder> use)
    {
        PipelineProof? proof = null;
        await using var host = await ProofHost.StartAsync(
            use,
            static services => services.AddTransient<OwnMiddlewareOfARequest>(),
            configure: builder => ServerThatLooks.PutBefore(builder.Services, (application, services) =>
                proof = PipelineProof.Of(
                    PipelineWalk.Through(application, PipelineWalk.KnownVersion), services)));
        return proof!;
    }

    /// <summary>Puts middleware before that of the application.</summary>
    private sealed class OwnStartupFilter : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.UseMiddleware<OwnMiddleware>();
            next(app);
        };
    }

    private sealed class OwnApplication : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public Task ProcessRequestAsync(HttpContext context) => Task.CompletedTask;

        public void DisposeContext(HttpContext context, Exception? exception)
        {
        }
    }

    private sealed class OwnFactory : IHttpContextFactory
    {
        public HttpContext Create(IFeatureCollection featureCollection) => new DefaultHttpContext(featureCollection);

        public void Dispose(HttpContext httpContext)
        {
        }
    }

    /// <summary>Each request gives it a service.</summary>
    private sealed class OwnMiddlewareWithService(RequestDelegate next)
    {
        public Task InvokeAsync(HttpContext context, IServiceProvider services) => next(context);
    }

    /// <summary>Each request makes one.</summary>
    private sealed class OwnMiddlewareOfARequest : IMiddleware
    {
        public Task InvokeAsync(HttpContext context, RequestDelegate next) => next(context);
    }

    /// <summary>Two ways lead on from it.</summary>
    private sealed class OwnForkingMiddleware(RequestDelegate next)
    {
        private readonly RequestDelegate _other = context => next(context);

        public Task InvokeAsync(HttpContext context) => context.Request.Path.HasValue ? next(context) : _other(context);
    }

    /// <summary>Authorizes in its own way.</summary>
    private sealed class OwnAuthorization(
        RequestDelegate next, IAuthorizationPolicyProvider policies) : AuthorizationMiddleware(next, policies);
}

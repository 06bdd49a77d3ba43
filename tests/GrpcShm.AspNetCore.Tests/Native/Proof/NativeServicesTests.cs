using Grpc.AspNetCore.Server;
using GrpcShm.AspNetCore.Hosting;
using GrpcShm.AspNetCore.Native;
using GrpcShm.AspNetCore.Native.Proof;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace GrpcShm.AspNetCore.Tests.Native.Proof;

/// <summary>The methods of a host that are dispatched natively.</summary>
public sealed class NativeServicesTests
{
    [Fact]
    public async Task Start_PlainService_IsToldOnce()
    {
        await using var host = await ProofHost.StartAsync();

        _ = host.Native.Table;

        var line = Assert.Single(host.Lines());
        Assert.Equal(LogLevel.Information, line.Level);
        Assert.Equal(
            $"Calls in direct mode to {PlainServiceBase.Name} are dispatched natively. Middleware of the application's "
                + "own that does not run for them: none.",
            line.Text);
    }

    [Fact]
    public async Task Table_PlainService_HasEachOfItsMethods()
    {
        await using var host = await ProofHost.StartAsync();

        var table = host.Native.Table;

        Assert.Equal(2, table.Endpoints.Count);
        var endpoint = table.Find(PlainServiceBase.Path)!;
        Assert.Equal(typeof(PlainService), endpoint.Metadata.ServiceType);
        Assert.Same(PlainServiceBase.Method, endpoint.Metadata.Method);
        Assert.Same(host.Native.Table, table);
        Assert.Null(table.Find(PlainServiceBase.Path.ToUpperInvariant()));
    }

    [Fact]
    public async Task Table_InternalsAreNotReadable_IsEmptyAndTheLogSaysSo()
    {
        await using var host = await ProofHost.StartAsync(
            services: static services => services.AddSingleton(new KestrelInternals { AreReadable = false }));

        Assert.Empty(host.Native.Table.Endpoints);
        Assert.EndsWith(
            "since the middleware of this application cannot be read.",
            Assert.Single(host.Lines()).Text,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Table_Http2Mode_IsEmptyAndTheLogSaysSo()
    {
        await using var host = await ProofHost.StartAsync(
            configure: static builder => builder.WebHost.UseSharedMemory(
                static options => options.Mode = SharedMemoryMode.Http2));

        Assert.Empty(host.Native.Table.Endpoints);
        Assert.EndsWith(
            "since Mode is Http2, and native dispatch is a part of direct mode.",
            Assert.Single(host.Lines()).Text,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Table_EndpointChanges_IsLookedAtAgain()
    {
        var source = new ChangingSource();
        await using var host = await ProofHost.StartAsync(map: app =>
        {
            app.MapGrpcService<PlainService>().WithNativeDispatch();
            var routes = (IEndpointRouteBuilder)app;
            source.Inner = routes.DataSources.Single();
            routes.DataSources.Clear();
            routes.DataSources.Add(source);
        });
        var before = host.Native.Table;
        Assert.Null(host.WhyNot());

        source.Change(static endpoint => endpoint.Metadata.Add(new AuthorizeAttribute()));

        Assert.Contains(typeof(AuthorizeAttribute).ToString(), host.WhyNot(), StringComparison.Ordinal);
        Assert.True(host.Native.Table.Version > before.Version);

        source.Change(static _ => { });

        Assert.Null(host.WhyNot());
    }

    [Fact]
    public async Task Table_EndpointComesLater_HasIt()
    {
        var source = new ChangingSource();
        await using var host = await ProofHost.StartAsync(map: app =>
        {
            app.MapGrpcService<PlainService>().WithNativeDispatch();
            var routes = (IEndpointRouteBuilder)app;
            source.Inner = routes.DataSources.Single();
            source.IsEmpty = true;
            routes.DataSources.Clear();
            routes.DataSources.Add(source);
        });
        Assert.Empty(host.Native.Table.Endpoints);

        source.IsEmpty = false;
        source.Change(static _ => { });

        Assert.NotNull(host.Native.Table.Find(PlainServiceBase.Path));
    }

    [Fact]
    public async Task Table_EndpointsCannotBeBuilt_IsEmptyAndTheLogSaysWhy()
    {
        var source = new ChangingSource();
        await using var host = await ProofHost.StartAsync(map: app =>
        {
            app.MapGrpcService<PlainService>().WithNativeDispatch();
            var routes = (IEndpointRouteBuilder)app;
            source.Inner = routes.DataSources.Single();
            source.Change(static _ => throw new InvalidOperationException("Not today."));
            routes.DataSources.Clear();
            routes.DataSources.Add(source);
        });

        Assert.Empty(host.Native.Table.Endpoints);
        Assert.Equal(
            ["NativeDispatchUnproved: Not today.", "NativeDispatchUnproved: Not today."],
            host.Lines().Select(static line => $"{line.Name}: {line.Exception?.Message}"));
    }

    [Fact]
    public async Task Table_AllowedHostsChange_IsLookedAtAgain()
    {
        await using var host = await ProofHost.StartAsync(
            configure: static builder => builder.Configuration["AllowedHosts"] = "*");
        Assert.Null(host.WhyNot());

        var configuration = host.Services.GetRequiredService<IConfiguration>();
        configuration["AllowedHosts"] = "orders";
        ((IConfigurationRoot)configuration).Reload();

        Assert.Equal("HostFilteringMiddleware may act on them (it allows some hosts)", host.WhyNot());
    }

    [Fact]
    public async Task Table_DefaultTimeoutComesLater_IsLookedAtAgain()
    {
        TimeSpan? timeout = null;
        var changes = new ChangeSource();
        await using var host = await ProofHost.StartAsync(
            static app => app.UseRequestTimeouts(),
            services => services
                .AddRequestTimeouts(options => options.DefaultPolicy = new RequestTimeoutPolicy { Timeout = timeout })
                .AddSingleton<IOptionsChangeTokenSource<RequestTimeoutOptions>>(changes));
        Assert.Null(host.WhyNot());

        timeout = TimeSpan.FromHours(1);
        changes.Change();

        Assert.Equal("RequestTimeoutsMiddleware may act on them (it has a default policy)", host.WhyNot());
    }

    [Fact]
    public async Task Method_FallbackPolicyIsSetInCode_IsNotLetPassAnyMore()
    {
        await using var host = await ProofHost.StartAsync(
            services: static services => services.AddAuthorization(), isAsked: false);
        var method = host.Native.Table.Find(PlainServiceBase.Path)!.Method!;
        Assert.True(method.Pipeline.LetsPass);

        var options = host.Services.GetRequiredService<IOptions<AuthorizationOptions>>().Value;
        options.FallbackPolicy = options.DefaultPolicy;

        Assert.False(method.Pipeline.LetsPass);
    }

    [Fact]
    public async Task Method_DefaultTimeoutIsSetInCode_IsNotLetPassAnyMore()
    {
        await using var host = await ProofHost.StartAsync(
            static app => app.UseRequestTimeouts(),
            static services => services.AddRequestTimeouts(),
            isAsked: false);
        var method = host.Native.Table.Find(PlainServiceBase.Path)!.Method!;
        Assert.True(method.Pipeline.LetsPass);

        host.Services.GetRequiredService<IOptionsMonitor<RequestTimeoutOptions>>().CurrentValue.DefaultPolicy =
            new RequestTimeoutPolicy { Timeout = TimeSpan.FromHours(1) };

        Assert.False(method.Pipeline.LetsPass);
    }

    [Fact]
    public async Task Table_UseNativeDispatchIsFalse_IsEmptyAndTheLogTellsThoseWhoHaveAsked()
    {
        await using var host = await ProofHost.StartAsync(configure: static builder =>
            builder.WebHost.UseSharedMemory(static options => options.UseNativeDispatch = false));

        Assert.Empty(host.Native.Table.Endpoints);
        Assert.Equal(
            $"{PlainServiceBase.Name} asks for native dispatch, and calls to Say, SayOtherwise take the full pipeline, "
                + "since UseNativeDispatch is false.",
            Assert.Single(host.Lines()).Text);
    }

    [Fact]
    public async Task Table_UseNativeDispatchIsFalseInTheConfiguration_IsEmptyWithoutALine()
    {
        await using var host = await ProofHost.StartAsync(
            configure: static builder => builder.Configuration["SharedMemory:UseNativeDispatch"] = "false",
            isAsked: false);

        Assert.Empty(host.Native.Table.Endpoints);
        Assert.Empty(host.Lines());
    }

    [Fact]
    public async Task Table_ServiceInAGroup_GoesByTheLastWord()
    {
        await using var host = await ProofHost.StartAsync(map: static app =>
        {
            app.MapGroup("/a").WithNativeDispatch().MapGrpcService<PlainService>().WithoutNativeDispatch();
            app.MapGroup("/b").WithoutNativeDispatch().MapGrpcService<PlainService>().WithNativeDispatch();
            app.MapGroup("/c").WithoutNativeDispatch().MapGrpcService<PlainService>();
        });

        Assert.Equal(
            [$"/b{PlainServiceBase.Path}", $"/b{PlainServiceBase.OtherMethod.FullName}"],
            host.Native.Table.Endpoints.Select(static endpoint => endpoint.Path).Order());
        Assert.Empty(host.Native.Table.Refusals);
    }

    [Fact]
    public async Task Start_ServicesWithTheSameReason_AreToldInOneLine()
    {
        await using var host = await ProofHost.StartAsync(
            static app => app.UseWebSockets(),
            map: static app =>
            {
                app.MapGroup("/v1").MapGrpcService<PlainService>();
                app.MapGroup("/v2").MapGrpcService<PlainService>();
            });

        Assert.Equal(
            $"Calls in direct mode to {PlainServiceBase.Name} take the full pipeline, since WebSocketMiddleware may "
                + "act on them.",
            Assert.Single(host.Lines()).Text);
    }

    [Fact]
    public async Task Start_NobodyReadsTheLog_BuildsNoEndpoint()
    {
        var built = 0;
        await using var host = await ProofHost.StartAsync(
            configure: static builder => builder.Logging.SetMinimumLevel(LogLevel.Warning),
            map: app => app.MapGrpcService<PlainService>().Add(_ => built++));
        Assert.Equal(0, built);

        Assert.NotNull(host.Native.Table.Find(PlainServiceBase.Path));
        Assert.NotEqual(0, built);
    }

    [Fact]
    public async Task Table_MethodsAreMade_HasThoseThatCanBe()
    {
        NativeServices? services = null;
        await using var host = await ProofHost.StartAsync(
            configure: builder => ServerThatLooks.PutBefore(builder.Services, (application, provider) =>
                services = new NativeServices(
                    new(PipelineWalk.Through(application, PipelineWalk.KnownVersion)), provider, NullLogger.Instance)
                {
                    MakeMethod = (RouteEndpoint endpoint, GrpcMethodMetadata grpc, out string? whyNot) =>
                    {
                        whyNot = grpc.Method == PlainServiceBase.Method ? null : "it says nothing";
                        return whyNot is null ? new FakeMethod(endpoint, provider) : null;
                    },
                }));

        Assert.IsType<FakeMethod>(services!.Table.Find(PlainServiceBase.Path)?.Method);
        var refusal = Assert.Single(services.Table.Refusals);
        Assert.Same(PlainServiceBase.OtherMethod, refusal.Metadata.Method);
        Assert.Equal("it says nothing", refusal.Reason);
    }

    /// <summary>A method that is found, and never called.</summary>
    private sealed class FakeMethod(Endpoint endpoint, IServiceProvider services) : NativeMethod(
        "Fake",
        endpoint,
        new ServiceSettings(new GrpcServiceOptions(), new GrpcServiceOptions()),
        new ServiceSurroundings(services))
    {
        protected override Task HandleAsync(NativeCallContext context) => throw new NotSupportedException();
    }
}

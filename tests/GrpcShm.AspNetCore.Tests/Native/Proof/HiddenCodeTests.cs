using Grpc.AspNetCore.Server;
using Grpc.Core.Interceptors;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace GrpcShm.AspNetCore.Tests.Native.Proof;

/// <summary>Code of the application that neither the pipeline nor the metadata of an endpoint shows.</summary>
public sealed class HiddenCodeTests
{
    [Fact]
    public async Task Service_MappedWithAnInterceptorThatTheHostHasNoMore_TakesTheFullPipeline()
    {
        await using var host = await ProofHost.StartAsync(map: static app =>
        {
            var options = app.Services.GetRequiredService<IOptions<GrpcServiceOptions>>().Value;
            options.Interceptors.Add<OwnInterceptor>();
            app.MapGrpcService<PlainService>().WithNativeDispatch();
            options.Interceptors.Clear();
        });

        Assert.Equal(
            "gRPC's handler of its endpoint has other options, interceptors or services than the host has",
            host.WhyNot());
    }

    [Fact]
    public async Task Service_MappedWithALimitThatTheHostHasNoMore_TakesTheFullPipeline()
    {
        await using var host = await ProofHost.StartAsync(map: static app =>
        {
            var options = app.Services.GetRequiredService<IOptions<GrpcServiceOptions>>().Value;
            options.MaxReceiveMessageSize = 100;
            app.MapGrpcService<PlainService>().WithNativeDispatch();
            options.MaxReceiveMessageSize = 200;
        });

        Assert.Contains("other options", host.WhyNot(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/{id:int}/{name:maxlength(5)}", null)]
    [InlineData("/{**path:own}", "the route '/{**path:own}' has a constraint that is not ASP.NET Core's")]
    public async Task Service_BesideARouteWithAConstraint_IsNativeIfTheConstraintIsKnown(string route, string? reason)
    {
        await using var host = await ProofHost.StartAsync(
            use: app => app.Map(route, static () => "other"),
            services: static services => services.Configure<RouteOptions>(
                static options => options.SetParameterPolicy<OwnConstraint>("own")));

        Assert.Equal(reason, host.WhyNot());
    }

    [Fact]
    public async Task Service_BesideARouteWithAConstraintObject_TakesTheFullPipeline()
    {
        var other = RoutePatternFactory.Parse("{tenant}/{rest}", defaults: null, new { tenant = new OwnConstraint() });
        await using var host = await ProofHost.StartAsync(use: app => app.Map(other, static () => "other"));

        Assert.Contains("has a constraint that is not ASP.NET Core's", host.WhyNot(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Service_BesideARouteWithRequiredValues_TakesTheFullPipeline()
    {
        // Routing takes a parameter with a required value for a literal, so both endpoints are candidates alike.
        var names = PlainServiceBase.Path.Split('/');
        var other = RoutePatternFactory.Parse(
            "{service}/{method}",
            defaults: null,
            parameterPolicies: null,
            requiredValues: new { service = names[1], method = names[2] });
        await using var host = await ProofHost.StartAsync(use: app => app.Map(other, static () => "other"));

        Assert.Equal("another endpoint has an order that comes before", host.WhyNot());
    }

    [Fact]
    public async Task Middleware_ThatIsAMethodWithAnotherOneAsItsArgument_TakesTheFullPipeline()
    {
        await using var host = await ProofHost.StartAsync(use: static app => app.Use(next => new StaticFileMiddleware(
            next,
            app.Services.GetRequiredService<IWebHostEnvironment>(),
            Options.Create(new StaticFileOptions()),
            app.Services.GetRequiredService<ILoggerFactory>()).Guard));

        Assert.Contains("it is not known what runs behind", host.WhyNot(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Changes_ThatAreNotTold_LeaveNoServiceNative()
    {
        await using var host = await ProofHost.StartAsync(services: static services =>
            services.AddSingleton<IOptionsMonitor<RequestTimeoutOptions>, DeafMonitor>());

        Assert.Empty(host.Native.Table.Endpoints);
        Assert.Empty(host.Native.Table.Endpoints);
        Assert.Contains(host.Lines(), static line => line.Name == "NativeDispatchUnproved");
    }

    private sealed class OwnInterceptor : Interceptor;

    private sealed class OwnConstraint : IRouteConstraint
    {
        public bool Match(
            HttpContext? httpContext,
            IRouter? route,
            string routeKey,
            RouteValueDictionary values,
            RouteDirection routeDirection) => true;
    }

    private sealed class DeafMonitor : IOptionsMonitor<RequestTimeoutOptions>
    {
        public RequestTimeoutOptions CurrentValue { get; } = new();

        public RequestTimeoutOptions Get(string? name) => CurrentValue;

        public IDisposable? OnChange(Action<RequestTimeoutOptions, string?> listener) =>
            throw new InvalidOperationException("It tells of no change.");
    }
}

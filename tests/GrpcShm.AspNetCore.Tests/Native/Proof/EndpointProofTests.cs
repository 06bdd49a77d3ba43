using Grpc.Core;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Constraints;
using Microsoft.AspNetCore.Routing.Matching;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.AspNetCore.Tests.Native.Proof;

/// <summary>An endpoint with anything that middleware or routing could act on takes the full pipeline.</summary>
public sealed class EndpointProofTests
{
    private const string Metadata = "its endpoint has metadata that may be acted on: ";
    private const string Handler = "its endpoint is not run by gRPC's own handler";

    private static readonly Dictionary<string, (string? Reason, Action<WebApplication> Map)> Mapped = new()
    {
        ["nothing"] = (null, static app => Map<PlainService>(app)),
        ["texts"] = (null, static app => Map<PlainService>(app)
            .WithDisplayName("Plain").WithTags("a").WithSummary("b").WithDescription("c").WithGroupName("d")),
        ["a group"] = (null, static app => app.MapGroup("").WithNativeDispatch().MapGrpcService<PlainService>()),
        ["a fallback"] = (null, static app =>
        {
            Map<PlainService>(app);
            app.MapFallback(static () => "fallback");
        }),
        ["routes with parameters"] = (null, static app =>
        {
            Map<PlainService>(app);
            app.Map("/{**any}", static () => "any");
        }),

        ["Authorize on the class"] = (Metadata + typeof(AuthorizeAttribute), static app => Map<Authorized>(app)),
        ["Authorize on the method"] = (Metadata + typeof(AuthorizeAttribute), static app => Map<OneAuthorized>(app)),
        ["AllowAnonymous"] = (Metadata + typeof(AllowAnonymousAttribute),
            static app => Map<PlainService>(app).AllowAnonymous()),
        ["RequireAuthorization"] = (Metadata + typeof(AuthorizeAttribute),
            static app => Map<PlainService>(app).RequireAuthorization()),
        ["RequireHost"] = (Metadata + typeof(HostAttribute),
            static app => Map<PlainService>(app).RequireHost("orders")),
        ["RequireCors"] = (Metadata + "Microsoft.AspNetCore.Cors.EnableCorsAttribute",
            static app => Map<PlainService>(app).RequireCors("policy")),
        ["RequireRateLimiting"] = (Metadata + "Microsoft.AspNetCore.RateLimiting.EnableRateLimitingAttribute",
            static app => Map<PlainService>(app).RequireRateLimiting("policy")),
        ["WithRequestTimeout"] = (Metadata + "Microsoft.AspNetCore.Http.Timeouts.RequestTimeoutAttribute",
            static app => Map<PlainService>(app).WithRequestTimeout("policy")),
        ["CacheOutput"] = (Metadata + "Microsoft.AspNetCore.OutputCaching.",
            static app => Map<PlainService>(app).CacheOutput()),
        ["ShortCircuit"] = (Metadata + "Microsoft.AspNetCore.Routing.",
            static app => Map<PlainService>(app).ShortCircuit()),
        ["DisableHttpMetrics"] = (Metadata + "Microsoft.AspNetCore.Http.DisableHttpMetricsAttribute",
            static app => Map<PlainService>(app).DisableHttpMetrics()),
        ["own attribute on the class"] = (null, static app => Map<Marked>(app)),
        ["own attribute on the method"] = (null, static app => Map<OneMarked>(app)),
        ["own metadata"] = (null, static app => Map<PlainService>(app).WithMetadata(new OwnMetadata())),
        ["own attribute behind own middleware"] = (Metadata + typeof(OwnAttribute), static app =>
        {
            app.Use(static (context, next) => next(context));
            Map<Marked>(app);
        }),
        ["own metadata that is Microsoft's, too"] = (Metadata + typeof(OwnTags),
            static app => Map<PlainService>(app).WithMetadata(new OwnTags())),
        ["own attribute that is Microsoft's, too"] = (Metadata + typeof(OwnAuthorizeAttribute),
            static app => Map<PlainService>(app).WithMetadata(new OwnAuthorizeAttribute())),
        [".NET's metadata"] = (Metadata + typeof(Version),
            static app => Map<PlainService>(app).WithMetadata(new Version(1, 0))),
        ["metadata of a group"] = (Metadata + typeof(AuthorizeAttribute), static app =>
            app.MapGroup("").RequireAuthorization().MapGrpcService<PlainService>().WithNativeDispatch()),

        ["a convention that wraps"] = (Handler, static app => Map<PlainService>(app).Add(static endpoint =>
        {
            var inner = endpoint.RequestDelegate!;
            endpoint.RequestDelegate = context => inner(context);
        })),
        ["a filter"] = (Handler, static app =>
            Map<PlainService>(app).AddEndpointFilter(static (context, next) => next(context))),

        ["a group with a parameter"] = ("has parameters", static app =>
            app.MapGroup("/{tenant}").MapGrpcService<PlainService>().WithNativeDispatch()),
        ["another endpoint with the path"] = ($"another endpoint has the path '{PlainServiceBase.Path}', too",
            static app =>
            {
                Map<PlainService>(app);
                app.MapGet(PlainServiceBase.Path.ToUpperInvariant(), static () => "other");
            }),
        ["an endpoint of a lower order"] = ("another endpoint has an order that comes before", static app =>
        {
            Map<PlainService>(app);
            app.Map("/{**any}", static () => "any").WithOrder(-1);
        }),
    };

    public static TheoryData<string> Names => [.. Mapped.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Service_Mapped_IsNativeIfItIsPlain(string name)
    {
        await using var host = await ProofHost.StartAsync(
            static app =>
            {
                app.UseAuthorization();
                app.UseCors();
                app.UseRateLimiter();
                app.UseRequestTimeouts();
                app.UseOutputCache();
            },
            static services => services.AddAuthorization().AddCors().AddRateLimiter(static _ => { })
                .AddRequestTimeouts().AddOutputCache(),
            Mapped[name].Map);

        var reason = host.WhyNot();

        if (Mapped[name].Reason is { } expected)
        {
            Assert.Contains(expected, reason, StringComparison.Ordinal);
        }
        else
        {
            Assert.Null(reason);
        }
    }

    [Fact]
    public async Task Service_OneMethodIsAuthorized_HasItsOtherMethodNative()
    {
        await using var host = await ProofHost.StartAsync(
            services: static services => services.AddAuthorization(), map: static app => Map<OneAuthorized>(app));

        Assert.NotNull(host.WhyNot(PlainServiceBase.Path));
        Assert.Null(host.WhyNot(PlainServiceBase.OtherMethod.FullName));
        Assert.Equal(2, host.Lines().Count());
        Assert.Equal(
            $"{PlainServiceBase.Name} asks for native dispatch, and calls to Say take the full pipeline, since "
                + $"{Metadata}{typeof(AuthorizeAttribute)}.",
            Assert.Single(host.Lines(), static line => line.Name == "NativeDispatchNotPossible").Text);
    }

    [Fact]
    public async Task Service_InAGroupWithAPrefix_IsNativeUnderIt()
    {
        await using var host = await ProofHost.StartAsync(
            map: static app => app.MapGroup("/v1").MapGrpcService<PlainService>().WithNativeDispatch());

        Assert.NotNull(host.Native.Table.Find("/v1" + PlainServiceBase.Path));
        Assert.Null(host.Native.Table.Find(PlainServiceBase.Path));
    }

    [Fact]
    public async Task Service_WhoseRouteHasAConstraintWithoutParameter_TakesTheFullPipeline()
    {
        // Routing asks the constraint, though nothing in the path has its name.
        var prefix = RoutePatternFactory.Parse("v1", defaults: null, new { tenant = new AlphaRouteConstraint() });
        await using var host = await ProofHost.StartAsync(
            map: app => app.MapGroup(prefix).MapGrpcService<PlainService>().WithNativeDispatch());

        Assert.Empty(host.Native.Table.Endpoints);
        Assert.All(
            host.Native.Table.Refusals,
            static refusal => Assert.Contains(
                "has constraints or default values", refusal.Reason, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Service_OwnMatcherPolicy_TakesTheFullPipeline()
    {
        await using var host = await ProofHost.StartAsync(
            services: static services => services.AddSingleton<MatcherPolicy, OwnMatcherPolicy>());

        Assert.Equal($"routing is changed by {typeof(OwnMatcherPolicy)}", host.WhyNot());
    }

    [Fact]
    public async Task Service_OwnEndpointSelector_TakesTheFullPipeline()
    {
        await using var host = await ProofHost.StartAsync(
            services: static services => services.AddSingleton<EndpointSelector, OwnSelector>());

        Assert.Equal($"routing is changed by {typeof(OwnSelector)}", host.WhyNot());
    }

    [Fact]
    public async Task Service_HttpContextAccessorIsRegistered_IsNative()
    {
        await using var host = await ProofHost.StartAsync(
            services: static services => services.AddHttpContextAccessor());

        // Each call then has its context from the beginning.
        Assert.Null(host.WhyNot());
    }

    [Fact]
    public async Task Endpoint_ThatIsNoGrpcMethod_IsNeitherNativeNorTold()
    {
        await using var host = await ProofHost.StartAsync(
            map: static app => app.MapGet("/", static () => "Hello.").WithNativeDispatch());

        Assert.Empty(host.Native.Table.Endpoints);
        Assert.Empty(host.Lines());
    }

    private static GrpcServiceEndpointConventionBuilder Map<TService>(WebApplication app)
        where TService : class =>
        app.MapGrpcService<TService>().WithNativeDispatch();

    [AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
    private sealed class OwnAttribute : Attribute;

    private sealed record OwnMetadata;

    private sealed class OwnTags : ITagsMetadata
    {
        public IReadOnlyList<string> Tags => [];
    }

    private sealed class OwnAuthorizeAttribute : AuthorizeAttribute;

    [Authorize]
    private sealed class Authorized : PlainServiceBase;

    private sealed class OneAuthorized : PlainServiceBase
    {
        [Authorize]
        public override Task<string> Say(string request, ServerCallContext context) => Task.FromResult(request);
    }

    [Own]
    private sealed class Marked : PlainServiceBase;

    private sealed class OneMarked : PlainServiceBase
    {
        [Own]
        public override Task<string> Say(string request, ServerCallContext context) => Task.FromResult(request);
    }

    private sealed class OwnMatcherPolicy : MatcherPolicy
    {
        public override int Order => 0;
    }

    private sealed class OwnSelector : EndpointSelector
    {
        public override Task SelectAsync(HttpContext httpContext, CandidateSet candidates) => Task.CompletedTask;
    }
}

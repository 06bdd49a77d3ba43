using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.Rewrite;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace GrpcShm.AspNetCore.Tests.Native.Proof;

/// <summary>All methods of ASP.NET Core that add middleware, with each setting that makes a difference.</summary>
internal static class StockMiddlewareTable
{
    private const string HasBranch = "it is not known what runs behind ";
    private const string Unknown = "it is not known what this middleware does: ";

    private static readonly PartitionedRateLimiter<HttpContext> Limiter =
        PartitionedRateLimiter.Create<HttpContext, int>(static _ => RateLimitPartition.GetNoLimiter(0));

    public static IReadOnlyList<StockMiddleware> Rows { get; } =
    [
        // Security.
        new("UseAuthentication", null, static app => app.UseAuthentication(), static s => s.AddAuthentication(),
            Unasked: "AuthenticationMiddleware may act on them (a default scheme may be added)"),
        new(
            "UseAuthentication",
            "AuthenticationMiddleware may act on them (it has a default scheme)",
            static app => app.UseAuthentication(),
            static s => s.AddAuthentication("peer").AddSharedMemoryPeer("peer"),
            "a default scheme"),
        new(
            "UseAuthentication",
            "AuthenticationMiddleware may act on them (it has a default scheme)",
            static app => app.UseAuthentication(),
            static s => s.AddAuthentication().AddSharedMemoryPeer("peer"),
            "its only scheme"),
        new("UseAuthorization", null, static app => app.UseAuthorization(), static s => s.AddAuthorization()),
        new(
            "UseAuthorization",
            "AuthorizationMiddlewareInternal may act on them (it has a fallback policy)",
            static app => app.UseAuthorization(),
            static s => s.AddAuthorization(static options => options.FallbackPolicy = options.DefaultPolicy),
            "a fallback policy"),
        new(
            "UseAuthorization",
            "AuthorizationMiddlewareInternal may act on them (its policies are not known)",
            static app => app.UseAuthorization(),
            static s => s.AddAuthorization().AddSingleton<IAuthorizationPolicyProvider, OwnPolicies>(),
            "a provider of the application's own"),
        new("UseAntiforgery", null, static app => app.UseAntiforgery(), static s => s.AddAntiforgery()),
        new("UseCookiePolicy", "CookiePolicyMiddleware may act", static app => app.UseCookiePolicy()),
        new("UseCors", null, static app => app.UseCors(), static s => s.AddCors(),
            Unasked: "CorsMiddleware may act on them (a default policy may be added)"),
        new(
            "UseCors",
            "CorsMiddleware may act on them (it has a policy for all endpoints)",
            static app => app.UseCors(),
            static s => s.AddCors(static cors => cors.AddDefaultPolicy(static policy => policy.AllowAnyOrigin())),
            "a default policy"),
        new(
            "UseCors",
            "CorsMiddleware may act on them (it has a policy for all endpoints)",
            static app => app.UseCors("named"),
            static s => s.AddCors(static cors => cors.AddPolicy("named", static policy => policy.AllowAnyOrigin())),
            "a named policy"),
        new(
            "UseCors",
            "CorsMiddleware may act on them (it has a policy for all endpoints)",
            static app => app.UseCors(static policy => policy.AllowAnyOrigin()),
            static s => s.AddCors(),
            "a policy of its own"),
        new(
            "UseCors",
            "CorsMiddleware may act on them (it has a policy for all endpoints)",
            static app => app.UseCors(),
            static s => s.AddCors().AddSingleton<ICorsPolicyProvider, OwnCors>(),
            "a provider of the application's own"),
        new("UseCertificateForwarding", "CertificateForwardingMiddleware may act",
            static app => app.UseCertificateForwarding(), static s => s.AddCertificateForwarding(static _ => { })),
        new("UseHsts", "HstsMiddleware may act", static app => app.UseHsts()),
        new("UseHttpsRedirection", "HttpsRedirectionMiddleware may act", static app => app.UseHttpsRedirection()),

        // Hosts and addresses. Hosting adds the filter of hosts by itself.
        new("UseHostFiltering", null, static app => app.UseHostFiltering()),
        new(
            "UseHostFiltering",
            "HostFilteringMiddleware may act on them (it allows some hosts)",
            static app => app.UseHostFiltering(),
            static s => s.Configure<HostFilteringOptions>(static options => options.AllowedHosts = ["orders"]),
            "a list of hosts"),
        new(
            "UseHostFiltering",
            "HostFilteringMiddleware may act on them (it allows some hosts)",
            static app => app.UseHostFiltering(),
            static s => s.Configure<HostFilteringOptions>(static options => options.AllowEmptyHosts = false),
            "no empty host"),
        new("UseForwardedHeaders", "ForwardedHeadersMiddleware may act", static app => app.UseForwardedHeaders()),
        new("UseHttpMethodOverride", "HttpMethodOverrideMiddleware may act",
            static app => app.UseHttpMethodOverride()),
        new("UsePathBase", "UsePathBaseMiddleware may act", static app => app.UsePathBase("/base")),
        new("UseRewriter", "RewriteMiddleware may act",
            static app => app.UseRewriter(new RewriteOptions().AddRewrite("a", "b", skipRemainingRules: true))),

        // Limits.
        new("UseRateLimiter", null, static app => app.UseRateLimiter(), static s => s.AddRateLimiter(static _ => { })),
        new(
            "UseRateLimiter",
            "RateLimitingMiddleware may act on them (it has a global limiter)",
            static app => app.UseRateLimiter(),
            static s => s.AddRateLimiter(static options => options.GlobalLimiter = Limiter),
            "a global limiter"),
        new(
            "UseRateLimiter",
            "RateLimitingMiddleware may act on them (it has a global limiter)",
            static app => app.UseRateLimiter(new RateLimiterOptions { GlobalLimiter = Limiter }),
            static s => s.AddRateLimiter(static _ => { }),
            "options of its own"),
        new("UseRequestTimeouts", null, static app => app.UseRequestTimeouts(), static s => s.AddRequestTimeouts()),
        new(
            "UseRequestTimeouts",
            "RequestTimeoutsMiddleware may act on them (it has a default policy)",
            static app => app.UseRequestTimeouts(),
            static s => s.AddRequestTimeouts(static options =>
                options.DefaultPolicy = new RequestTimeoutPolicy { Timeout = TimeSpan.FromHours(1) }),
            "a default policy"),

        // Exceptions and statuses.
        new("UseDeveloperExceptionPage", null, static app => app.UseDeveloperExceptionPage()),
        new("UseExceptionHandler", null, static app => app.UseExceptionHandler("/error")),
        new("UseExceptionHandler", null, static app => app.UseExceptionHandler(static branch => branch.Run(Answer)),
            With: "a branch"),
        new("UseStatusCodePages", "StatusCodePagesMiddleware may act", static app => app.UseStatusCodePages()),
        new("UseStatusCodePagesWithRedirects", "StatusCodePagesMiddleware may act",
            static app => app.UseStatusCodePagesWithRedirects("/error")),
        new("UseStatusCodePagesWithReExecute", "StatusCodePagesMiddleware may act",
            static app => app.UseStatusCodePagesWithReExecute("/error")),

        // Logs.
        new("UseHttpLogging", "HttpLoggingMiddleware may act", static app => app.UseHttpLogging(),
            static s => s.AddHttpLogging(static _ => { })),
        new("UseW3CLogging", "W3CLoggingMiddleware may act", static app => app.UseW3CLogging(),
            static s => s.AddW3CLogging(static _ => { })),

        // Contents.
        new("UseStaticFiles", null, static app => app.UseStaticFiles()),
        new("UseDefaultFiles", null, static app => app.UseDefaultFiles()),
        new("UseDirectoryBrowser", null, static app => app.UseDirectoryBrowser(),
            static s => s.AddDirectoryBrowser()),
        new("UseFileServer", null, static app => app.UseFileServer(enableDirectoryBrowsing: true),
            static s => s.AddDirectoryBrowser()),
        new("UseWelcomePage", "WelcomePageMiddleware may act", static app => app.UseWelcomePage()),
        new("UseOutputCache", null, static app => app.UseOutputCache(), static s => s.AddOutputCache(),
            Unasked: "OutputCacheMiddleware may act on them (a base policy may be added)"),
        new(
            "UseOutputCache",
            "OutputCacheMiddleware may act on them (it has a base policy)",
            static app => app.UseOutputCache(),
            static s => s.AddOutputCache(static options => options.AddBasePolicy(static policy => policy.NoCache())),
            "a base policy"),
        new("UseResponseCaching", "ResponseCachingMiddleware may act", static app => app.UseResponseCaching(),
            static s => s.AddResponseCaching()),
        new("UseResponseCompression", "ResponseCompressionMiddleware may act",
            static app => app.UseResponseCompression(), static s => s.AddResponseCompression()),
        new("UseRequestDecompression", "RequestDecompressionMiddleware may act",
            static app => app.UseRequestDecompression(), static s => s.AddRequestDecompression()),
        new("UseRequestLocalization", "RequestLocalizationMiddleware may act",
            static app => app.UseRequestLocalization()),
        new("UseSession", "SessionMiddleware may act", static app => app.UseSession(),
            static s => s.AddDistributedMemoryCache().AddSession()),
        new("UseWebSockets", "WebSocketMiddleware may act", static app => app.UseWebSockets()),

        // Routing and branches.
        new("UseRouting", null, static app => app.UseRouting()),
        new("UseEndpoints", null, static app => app.UseRouting().UseEndpoints(static _ => { })),
        new("UseRouter", "RouterMiddleware may act", static app => app.UseRouter(static routes =>
            routes.MapGet("route", Answer))),
        new("UseMvc", "RouterMiddleware may act", static app => app.UseMvc(), AddMvc),
        new("UseMvcWithDefaultRoute", "RouterMiddleware may act", static app => app.UseMvcWithDefaultRoute(), AddMvc),
        new("UseHealthChecks", "MapWhenMiddleware may act", static app => app.UseHealthChecks("/health"),
            static s => s.AddHealthChecks()),
        new("Map", null, static app => app.Map("/admin", static branch => branch.Run(Answer))),
        new(
            "Map",
            $"MapMiddleware may act on them (it takes the calls below '/{PlainServiceBase.Name}')",
            static app => app.Map($"/{PlainServiceBase.Name}", static branch => branch.Run(Answer)),
            With: "the service's path"),
        new("MapWhen", "MapWhenMiddleware may act",
            static app => app.MapWhen(static _ => false, static branch => branch.Run(Answer))),
        new("UseWhen", "UseWhen may act",
            static app => app.UseWhen(static _ => false, static branch => branch.Run(Answer))),
        new("Run", $"{HasBranch}{typeof(StockMiddlewareTable)}.Answer", static app => app.Run(Answer)),
        new("Run", $"{HasBranch}a lambda of {typeof(StockMiddlewareTable)}",
            static app => app.Run(static _ => Task.CompletedTask), With: "a lambda"),

        // The application's own.
        new("Use", null, static app => app.Use(static (context, next) => next(context)),
            Unasked: Unknown, IsUnknown: true),
        new("Use", null, static app => app.Use(static (HttpContext _, Func<Task> next) => next()),
            With: "a function", Unasked: Unknown, IsUnknown: true),
        new("UseMiddleware", null, static app => app.UseMiddleware<OwnMiddleware>(),
            Unasked: Unknown, IsUnknown: true),
    ];

    private static Task Answer(HttpContext context) => Task.CompletedTask;

    private static void AddMvc(IServiceCollection services) =>
        services.AddMvc(static options => options.EnableEndpointRouting = false);

    private sealed class OwnPolicies(IOptions<AuthorizationOptions> options)
        : DefaultAuthorizationPolicyProvider(options);

    private sealed class OwnCors(IOptions<CorsOptions> options) : DefaultCorsPolicyProvider(options);
}

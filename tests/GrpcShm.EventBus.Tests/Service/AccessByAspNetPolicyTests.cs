using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.EventBus.Tests.Service;

/// <summary>
/// The same, decided by an authorization policy of ASP.NET Core, which answers later and on another thread.
/// </summary>
public sealed class AccessByAspNetPolicyTests : AccessTests
{
    private const string Policy = "bus";

    [Fact]
    public async Task Map_PolicyWithoutAuthorization_FailsAtStartUp()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddEventBus(static options => options.AuthorizationPolicy = Policy);
        await using var app = builder.Build();

        var refused = Assert.Throws<InvalidOperationException>(() => app.MapEventBus());

        Assert.Contains("AddAuthorization", refused.Message, StringComparison.Ordinal);
    }

    protected override void Configure(EventBusOptions options)
    {
        options.AuthorizationPolicy = Policy;
        options.AllowBlockingObservers = true;
    }

    protected override void Build(WebApplicationBuilder builder)
    {
        base.Build(builder);
        builder.Services.AddAuthorization(
            options => options.AddPolicy(Policy, policy => policy.RequireAssertion(async context =>
        {
            await Task.Yield();
            return Decide((EventBusAccess)context.Resource!);
        })));
    }
}

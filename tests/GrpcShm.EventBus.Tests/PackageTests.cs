using System.Reflection;

namespace GrpcShm.EventBus.Tests;

/// <summary>What the two packages of the event service ask of a process that uses them.</summary>
public sealed class PackageTests
{
    private const string WebFramework = "Microsoft.AspNetCore.";

    [Fact]
    public void Client_AllThatItRefersTo_IsWithoutAspNetCore()
    {
        var closure = ReferencesOf(typeof(EventClient).Assembly);

        Assert.Contains("Grpc.Core.Api", closure);
        Assert.Contains("Microsoft.Extensions.Diagnostics.HealthChecks", closure);
        Assert.DoesNotContain(closure, IsOfAspNetCore);
    }

    [Fact]
    public void Hub_WhatItRefersTo_IsTheClientsPackageAndAspNetCore()
    {
        var closure = ReferencesOf(typeof(EventHub).Assembly);

        Assert.Contains("GrpcShm.EventBus", closure);
        Assert.Contains(closure, IsOfAspNetCore);
    }

    private static bool IsOfAspNetCore(string name) =>
        name.StartsWith(WebFramework, StringComparison.Ordinal)
        || name.StartsWith("Grpc.AspNetCore.", StringComparison.Ordinal);

    private static HashSet<string> ReferencesOf(Assembly root)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<Assembly>([root]);
        while (open.TryPop(out var assembly))
        {
            foreach (var reference in assembly.GetReferencedAssemblies())
            {
                if (names.Add(reference.Name!))
                {
                    open.Push(Assembly.Load(reference));
                }
            }
        }

        return names;
    }
}

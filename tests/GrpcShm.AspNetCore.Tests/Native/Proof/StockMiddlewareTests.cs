using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace GrpcShm.AspNetCore.Tests.Native.Proof;

/// <summary>No middleware of ASP.NET Core's that may act on a call is stepped around.</summary>
public sealed class StockMiddlewareTests
{
    public static TheoryData<string> Names => [.. StockMiddlewareTable.Rows.Select(static row => row.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Service_BehindMiddleware_IsNativeIfThatIsIndifferent(string name)
    {
        var row = StockMiddlewareTable.Rows.Single(row => row.Name == name);
        await using var host = await ProofHost.StartAsync(row.Use, row.Services);

        var reason = host.WhyNot();

        if (row.Reason is null)
        {
            Assert.Null(reason);
        }
        else
        {
            Assert.Contains(row.Reason, reason, StringComparison.Ordinal);
        }

        var line = Assert.Single(host.Lines());
        Assert.Equal(row.Reason is null ? "NativeDispatch" : "NativeDispatchNotPossible", line.Name);
        Assert.Equal(
            row.Reason is null && !row.IsUnknown,
            line.Text.EndsWith("does not run for them: none.", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Service_ThatHasNotAsked_IsNativeIfNothingCanNoticeIt(string name)
    {
        var row = StockMiddlewareTable.Rows.Single(row => row.Name == name);
        await using var host = await ProofHost.StartAsync(row.Use, row.Services, isAsked: false);

        var reason = host.WhyNot();

        if ((row.Reason ?? row.Unasked) is { } expected)
        {
            Assert.Contains(expected, reason, StringComparison.Ordinal);
        }
        else
        {
            Assert.Null(reason);
        }

        var line = Assert.Single(host.Lines());
        Assert.Equal(LogLevel.Information, line.Level);
        Assert.Equal(reason is null ? "NativeDispatch" : "NativeDispatchNotProved", line.Name);
        Assert.Equal(
            reason is null
                ? $"Calls in direct mode to {PlainServiceBase.Name} are dispatched natively. Middleware of the "
                    + "application's own that does not run for them: none."
                : $"Calls in direct mode to {PlainServiceBase.Name} take the full pipeline, since {reason}.",
            line.Text);
    }

    [Fact]
    public void Table_EachMethodOfTheSharedFramework_IsNamed()
    {
        var methods = Directory
            .GetFiles(Path.GetDirectoryName(typeof(WebApplication).Assembly.Location)!, "Microsoft.*.dll")
            .Select(Assembly.LoadFrom)
            .SelectMany(static assembly => assembly.GetExportedTypes())
            .Where(static type => type is { IsAbstract: true, IsSealed: true })
            .SelectMany(static type => type.GetMethods(BindingFlags.Public | BindingFlags.Static))
            .Where(static method => method.IsDefined(typeof(ExtensionAttribute)) && Extends(method))
            .Select(static method => method.Name)
            .Distinct()
            .Order(StringComparer.Ordinal)
            .ToList();
        var named = StockMiddlewareTable.Rows
            .Select(static row => row.Method)
            .Distinct()
            .Order(StringComparer.Ordinal);

        Assert.True(methods.Count > 40);
        Assert.Equal(methods, named);
    }

    private static bool Extends(MethodInfo method)
    {
        var extended = method.GetParameters()[0].ParameterType;
        return typeof(IApplicationBuilder).IsAssignableFrom(extended)
            || (extended.IsGenericParameter
                && extended.GetGenericParameterConstraints().Any(typeof(IApplicationBuilder).IsAssignableFrom));
    }
}

using System.Reflection;

namespace GrpcShm.EventBus.Tests.Conformance;

/// <summary>
/// The public surface of the hub's own process is that of a client: each operation has the same name, parameters and
/// defaults. Only a client has a connection.
/// </summary>
public sealed class SurfaceTests
{
    private static readonly string[] OfAConnection =
    [
        "ConnectAsync", "DisconnectAsync", "Dispose", "DisposeAsync", "State", "InstanceId", "ConnectionChanged",
        "MachineLost",
    ];

    [Fact]
    public void EventHub_HasEachOperationOfAClient_AndNoOther()
    {
        var ofAClient = Describe(typeof(EventClient))
            .Where(member => !OfAConnection.Contains(member.Name)).Select(member => member.Text);
        var ofTheHub = Describe(typeof(EventHub)).Select(member => member.Text).ToArray();

        Assert.Contains(ofTheHub, text => text.StartsWith("PublishStateChangeAsync", StringComparison.Ordinal));
        Assert.Equal(ofAClient.Order(StringComparer.Ordinal), ofTheHub.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void LocalMachine_HasAllThatASubscriptionHas()
    {
        var ofASubscription = Describe(typeof(BusSubscription)).Select(member => member.Text);

        Assert.Empty(ofASubscription.Except(Describe(typeof(LocalMachine)).Select(member => member.Text)));
    }

    private static IEnumerable<(string Name, string Text)> Describe(Type type)
    {
        const BindingFlags Own = BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly;
        foreach (var method in type.GetMethods(Own).Where(method => !method.IsSpecialName))
        {
            var parameters = method.GetParameters().Select(
                parameter => $"{parameter.ParameterType} {parameter.Name} {parameter.HasDefaultValue}");
            yield return (method.Name, $"{method.Name}({string.Join(", ", parameters)}): {ResultOf(method)}");
        }

        foreach (var property in type.GetProperties(Own))
        {
            yield return (property.Name, $"{property.Name}: {property.PropertyType}");
        }

        foreach (var raised in type.GetEvents(Own))
        {
            yield return (raised.Name, $"{raised.Name}: {raised.EventHandlerType}");
        }
    }

    // The hub's own machine can be disposed of as that of a client, and says its id besides.
    private static Type ResultOf(MethodInfo method) =>
        method.ReturnType == typeof(Task<LocalMachine>) ? typeof(Task<IDisposable>) : method.ReturnType;
}

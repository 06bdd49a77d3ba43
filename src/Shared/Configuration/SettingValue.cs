using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace GrpcShm;

/// <summary>
/// Finds a value in a section of the configuration that an option refuses. The option itself does not know the key that
/// its value comes from.
/// </summary>
/// <remarks>Compiled into each library that binds such a section.</remarks>
internal static class SettingValue
{
    private const string Parameter = " (Parameter '";

    /// <summary>Sets one option alone, as the binder sets it together with the others.</summary>
    /// <param name="setting">The setting.</param>
    /// <param name="bind">Binds a section that has no other setting to new options.</param>
    /// <returns>Nothing if the option takes the value; else the mistake, as sentences that name the key.</returns>
    /// <exception cref="InvalidOperationException">
    /// The text is no value of the option's type; the message names the key.
    /// </exception>
    public static string? FindMistake(IConfigurationSection setting, Action<IConfiguration> bind)
    {
        if (setting.Value is not { } text)
        {
            return null;
        }

        var alone = new ConfigurationBuilder().AddInMemoryCollection([new(setting.Path, text)]).Build();
        try
        {
            bind(ConfigurationPath.GetParentPath(setting.Path) is { } section ? alone.GetSection(section) : alone);
            return null;
        }
        catch (ArgumentException refusal)
        {
            var hint = refusal is ArgumentOutOfRangeException { ActualValue: TimeSpan } && IsNumber(text)
                ? " A number alone counts days: for 5 seconds write '00:00:05'."
                : "";
            return $"'{setting.Path}' is '{text}': {WithoutParameter(refusal.Message)}{hint}";
        }
    }

    // The name of the parameter and the value, which the framework appends, stand in the key and before the colon.
    private static string WithoutParameter(string message) =>
        message.IndexOf(Parameter, StringComparison.Ordinal) is > 0 and var end ? message[..end] : message;

    private static bool IsNumber(string text) =>
        int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out _);
}

using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using GrpcShm.AspNetCore;
using GrpcShm.OptionsReference;
using GrpcShm.Transport;

namespace GrpcShm.Conformance.Tests;

/// <summary>
/// <c>docs/reference/options.md</c> has every option, as the documentation of the code describes it, and that is true.
/// </summary>
public sealed partial class OptionsPageTests
{
    private static readonly Documentation Documented = new(OptionTypes.All.Select(o => o.Type.Assembly).Distinct());

    /// <summary>The options whose setters refuse some values.</summary>
    public static TheoryData<string, string> Bounded { get; } = new(
        from options in OptionTypes.All
        from option in options.Options
        where Documented.Of(option, "exception").Length > 0 && IsAmount(option)
        select (options.Type.Name, option.Name));

    [Fact]
    public void Page_IsTheOneThatTheGeneratorMakes()
    {
        var page = new OptionsPage(OptionTypes.All);
        var text = page.Write();

        Assert.Empty(page.Problems);
        var path = Path.Join(SourceTree.Root, "docs", "reference", "options.md");
        Assert.True(
            File.Exists(path) && File.ReadAllText(path) == text,
            "docs/reference/options.md is not what the documentation of the code says. Write it again: "
            + OptionsPage.Command);
    }

    [Fact]
    public void Types_AllOfThem_AreOnThePage() =>
        Assert.Equal(
            OptionTypes.Public().Select(static type => type.FullName).Order(StringComparer.Ordinal),
            OptionTypes.All.Select(static options => options.Type.FullName).Order(StringComparer.Ordinal));

    [Fact]
    public void Write_OptionsWithoutDocumentation_SaysWhatIsMissing()
    {
        var page = new OptionsPage([new OptionType(typeof(BareOptions), new BareOptions(), "", static _ => null)]);
        page.Write();

        string[] expected =
        [
            "BareOptions.Size has no summary",
            "BareOptions.Size has remarks that do not begin with 'Defaults to '",
            "BareOptions.Size has no element <value>",
            $"{typeof(SharedMemoryTransportOptions)}: a type of options that OptionTypes does not have",
            $"{typeof(BareValue)} has no summary",
            $"{typeof(BareValue)}.One has no summary",
        ];
        Assert.All(expected, problem => Assert.Contains(
            page.Problems, found => found.StartsWith(problem, StringComparison.Ordinal)));
    }

    [Theory]
    [MemberData(nameof(Bounded))]
    public void Range_OfAnOption_IsWhatItsSetterTakes(string type, string name)
    {
        var options = OptionTypes.All.Single(options => options.Type.Name == type);
        var option = options.Type.GetProperty(name)!;
        var text = Documented.Of(option, "value");
        var range = ValueRange.Read(text);
        Assert.True(range is not null, $"'{text}' is no range: see {nameof(ValueRange)}.");

        Assert.Null(Set(options, option, range.Least));
        Assert.Null(Set(options, option, range.Most ?? MostOf(option)));
        Assert.IsAssignableFrom<ArgumentOutOfRangeException>(Set(options, option, range.Least - 1));
        if (range.Most is { } most)
        {
            Assert.IsAssignableFrom<ArgumentOutOfRangeException>(Set(options, option, most + 1));
        }
    }

    [Theory]
    [InlineData(nameof(SharedMemoryTransportOptions.RingSize), 262144, "256 KiB.", true)]
    [InlineData(nameof(SharedMemoryTransportOptions.RingSize), 262144, "128 KiB.", false)]
    [InlineData(nameof(SharedMemoryTransportOptions.RingSize), 1024, "1,024.", true)]
    [InlineData(nameof(SharedMemoryTransportOptions.RingSize), 1024, "1,0245.", false)]
    [InlineData(nameof(SharedMemoryTransportOptions.UseChecksums), false, "`true`.", false)]
    [InlineData(nameof(SharedMemoryTransportOptions.AuthorizePeer), null, "`null`: none.", true)]
    [InlineData(nameof(SharedMemoryTransportOptions.AuthorizePeer), null, "none.", false)]
    [InlineData(nameof(SharedMemoryTransportOptions.RunMode), RunMode.Inline, "`RunMode.Inline`.", true)]
    [InlineData(nameof(SharedMemoryTransportOptions.RunMode), RunMode.Inline, "`Inline`.", false)]
    public void Default_ThatTheDocumentationNames_IsComparedWithTheValue(
        string name, object? value, string text, bool isSo) =>
        Assert.Equal(
            isSo, DefaultText.Says(typeof(SharedMemoryTransportOptions).GetProperty(name)!, value, text));

    [Theory]
    [InlineData("5 seconds", 50_000_000)]
    [InlineData("1 ms", 10_000)]
    [InlineData("64 MiB", 67_108_864)]
    [InlineData("Zero", 0)]
    public void Quantity_OfAText_IsRead(string text, long amount) => Assert.Equal(amount, Quantity.Read(text));

    /// <summary>This reads the sources, as a setting is read by its name.</summary>
    [Fact]
    public void RunTimeSettings_EachThatTheSourcesRead_IsOnThePage()
    {
        var source = string.Join('\n', Directory.GetFiles(
            Path.Join(SourceTree.Root, "src"), "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText));
        string[] read =
        [
            .. SettingPattern().Matches(source).Select(static match => match.Groups["name"].Value),
            .. VariablePattern().Matches(source).Select(static match => match.Groups["name"].Value),
        ];

        Assert.Contains("GrpcShm.ReactorCount", read);
        Assert.Contains("XDG_RUNTIME_DIR", read);
        Assert.Equal(
            read.Distinct().Order(StringComparer.Ordinal),
            RunTimeSettings.InRunTimeConfiguration.Select(static setting => setting.Name)
                .Concat(RunTimeSettings.InEnvironment.Select(static variable => variable.Name))
                .Order(StringComparer.Ordinal));
    }

    private static bool IsAmount(PropertyInfo option) =>
        (Nullable.GetUnderlyingType(option.PropertyType) ?? option.PropertyType) is var type
        && (type == typeof(int) || type == typeof(long) || type == typeof(TimeSpan));

    private static long MostOf(PropertyInfo option) =>
        option.PropertyType == typeof(int) ? int.MaxValue : long.MaxValue;

    /// <summary>Sets an option of a new instance.</summary>
    /// <returns>The exception of its setter, if any.</returns>
    private static Exception? Set(OptionType options, PropertyInfo option, long amount)
    {
        var instance = Activator.CreateInstance(options.Instance.GetType())!;
        var type = Nullable.GetUnderlyingType(option.PropertyType) ?? option.PropertyType;
        object value = type == typeof(TimeSpan)
            ? TimeSpan.FromTicks(amount)
            : Convert.ChangeType(amount, type, CultureInfo.InvariantCulture);
        return Record.Exception(() => option.SetValue(instance, value)) is TargetInvocationException exception
            ? exception.InnerException
            : null;
    }

    // Names in the place where they are read, or declared for it.
    [GeneratedRegex("""(RunTimeSetting |Switch = |new\(|TryGetSwitch\()\s*"(?<name>(GrpcShm|System)\.[\w.]+)"[,;)]?""")]
    private static partial Regex SettingPattern();

    [GeneratedRegex("""(GetEnvironmentVariable|\benvironment)\("(?<name>\w+)"\)""")]
    private static partial Regex VariablePattern();

    private sealed class BareOptions
    {
        public int Size { get; set; } = 1;

        public BareValue Value { get; set; }
    }

    private enum BareValue
    {
        One,
    }
}

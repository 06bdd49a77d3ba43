using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace GrpcShm.PackageChecks;

/// <summary>
/// The types and members of the packages that other assemblies can use. A member is known by its type, its name and the
/// number of its parameters. The build step that filters the documentation computes exact names by other code, so this
/// class finds faults of that step.
/// </summary>
internal sealed class PublicSurface
{
    private readonly HashSet<string> _members = new(StringComparer.Ordinal);
    private readonly HashSet<string> _undocumented = new(StringComparer.Ordinal);

    /// <summary>All members, as <see cref="KeyOf"/> writes them.</summary>
    public IReadOnlySet<string> Members => _members;

    public static PublicSurface Of(IEnumerable<Package> packages)
    {
        var surface = new PublicSurface();
        foreach (var package in packages)
        {
            using var file = new PEReader(new MemoryStream(package.Assembly()));
            var reader = file.GetMetadataReader();
            foreach (var type in reader.TypeDefinitions.Select(reader.GetTypeDefinition))
            {
                if (IsPublic(reader, type))
                {
                    surface.Add(reader, type);
                }
            }
        }

        return surface;
    }

    /// <summary>The members of a type that the compiler wants to be documented.</summary>
    public IEnumerable<string> ToDocument(string type) =>
        _members.Where(member => member.Split(' ')[1] == type && !_undocumented.Contains(member));

    /// <summary>Writes <c>M:Space.Type.Method(System.Int32)</c> as <c>M Space.Type Method 1</c>.</summary>
    public static string KeyOf(string name)
    {
        var kind = name[0];
        var open = name.IndexOf('(', StringComparison.Ordinal);
        var path = (open < 0 ? name : name[..open])[2..].Split('~')[0];
        if (kind == 'T')
        {
            return $"T {path}";
        }

        var dot = path.LastIndexOf('.');
        var member = path[(dot + 1)..].Split("``")[0];
        return $"{kind} {path[..dot]} {member} {(open < 0 ? 0 : CountOfParameters(name[(open + 1)..]))}";
    }

    private static int CountOfParameters(string list)
    {
        var depth = 0;
        var count = 1;
        foreach (var letter in list.TakeWhile(letter => letter != ')'))
        {
            depth += letter is '{' or '[' ? 1 : letter is '}' or ']' ? -1 : 0;
            count += letter == ',' && depth == 0 ? 1 : 0;
        }

        return count;
    }

    private void Add(MetadataReader reader, TypeDefinition type)
    {
        var name = NameOf(reader, type);
        _members.Add($"T {name}");
        foreach (var field in type.GetFields().Select(reader.GetFieldDefinition))
        {
            if (IsPublic((int)field.Attributes))
            {
                var isHidden = field.Attributes.HasFlag(FieldAttributes.SpecialName);
                Add($"F {name} {reader.GetString(field.Name)} 0", isHidden);
            }
        }

        foreach (var property in type.GetProperties().Select(reader.GetPropertyDefinition))
        {
            var getter = property.GetAccessors().Getter;
            if (IsPublic(reader, getter) || IsPublic(reader, property.GetAccessors().Setter))
            {
                // The getter of an indexer has the parameters of the indexer.
                var parameters = getter.IsNil ? 0 : CountOfParameters(reader, reader.GetMethodDefinition(getter));
                Add($"P {name} {reader.GetString(property.Name)} {parameters}", isUndocumented: false);
            }
        }

        foreach (var definition in type.GetEvents().Select(reader.GetEventDefinition))
        {
            if (IsPublic(reader, definition.GetAccessors().Adder))
            {
                Add($"E {name} {reader.GetString(definition.Name)} 0", isUndocumented: false);
            }
        }

        foreach (var handle in type.GetMethods().Where(method => IsPublic(reader, method)))
        {
            var method = reader.GetMethodDefinition(handle);
            var isPart = (method.Attributes & (MethodAttributes.SpecialName | MethodAttributes.RTSpecialName))
                == MethodAttributes.SpecialName;
            var member = reader.GetString(method.Name).Replace('.', '#');
            var parameters = CountOfParameters(reader, method);
            Add(
                $"M {name} {member} {parameters}",
                isPart || (member == "#ctor" && parameters == 0) || IsWrittenByTheCompiler(reader, method));
        }
    }

    private void Add(string member, bool isUndocumented)
    {
        _members.Add(member);
        if (isUndocumented)
        {
            _undocumented.Add(member);
        }
    }

    private static int CountOfParameters(MetadataReader reader, MethodDefinition method)
    {
        var signature = reader.GetBlobReader(method.Signature);
        var header = signature.ReadSignatureHeader();
        if (header.IsGeneric)
        {
            signature.ReadCompressedInteger();
        }

        return signature.ReadCompressedInteger();
    }

    private static bool IsWrittenByTheCompiler(MetadataReader reader, MethodDefinition method) =>
        method.ImplAttributes.HasFlag(MethodImplAttributes.Runtime)
        || method.GetCustomAttributes()
            .Select(attribute => reader.GetCustomAttribute(attribute).Constructor)
            .Where(static constructor => constructor.Kind == HandleKind.MemberReference)
            .Select(constructor => reader.GetMemberReference((MemberReferenceHandle)constructor).Parent)
            .Where(static type => type.Kind == HandleKind.TypeReference)
            .Select(type => reader.GetString(reader.GetTypeReference((TypeReferenceHandle)type).Name))
            .Contains("CompilerGeneratedAttribute");

    private static string NameOf(MetadataReader reader, TypeDefinition type)
    {
        var name = reader.GetString(type.Name);
        var space = reader.GetString(type.Namespace);
        return type.IsNested ? $"{NameOf(reader, reader.GetTypeDefinition(type.GetDeclaringType()))}.{name}"
            : space.Length == 0 ? name : $"{space}.{name}";
    }

    private static bool IsPublic(MetadataReader reader, TypeDefinition type) =>
        (type.Attributes & TypeAttributes.VisibilityMask) switch
        {
            TypeAttributes.Public => true,
            TypeAttributes.NestedPublic or TypeAttributes.NestedFamily or TypeAttributes.NestedFamORAssem =>
                IsPublic(reader, reader.GetTypeDefinition(type.GetDeclaringType())),
            _ => false,
        };

    private static bool IsPublic(MetadataReader reader, MethodDefinitionHandle method) =>
        !method.IsNil && IsPublic((int)reader.GetMethodDefinition(method).Attributes);

    // Fields and methods have the same numbers of access: family (4), family or assembly (5), public (6).
    private static bool IsPublic(int attributes) => (attributes & 7) is 4 or 5 or 6;
}

//! Projects of other tools: CDK, the Serverless Framework, and what serverless-wsgi, Zappa and mangum leave.

use std::path::Path;

use serde_json::{Value, json};
use wsgi_lambda::bundle::{Archive, Contents};

use super::{doctor, findings, ids, root, text};

const APP: &str = "from flask import Flask\n\napp = Flask(__name__)\n";
const WSGI: &str = "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'']\n";

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn found(folder: &Path, arguments: &[&str]) -> Vec<Value> {
    findings(&[&[folder.to_str().unwrap()], arguments].concat())
}

/// `file id` of each, the file relative to the folder.
fn places(folder: &Path, found: &[Value]) -> Vec<String> {
    let place = |one: &Value| {
        let file = Path::new(one["file"].as_str().unwrap());
        format!("{} {}", file.strip_prefix(folder).unwrap().display(), one["id"].as_str().unwrap())
    };
    found.iter().map(place).collect()
}

/// A function as CDK writes it: the code is an asset, which the metadata name.
fn cdk_function(asset: &str, timeout: u32, handler: &str) -> Value {
    json!({
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Code": {"S3Bucket": {"Fn::Sub": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"}, "S3Key": format!("{asset}.zip")},
            "Handler": handler,
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Runtime": "provided.al2023",
            "Timeout": timeout,
            "Layers": ["arn:aws:lambda:eu-west-1:1:layer:wsgi-lambda:1"],
        },
        "Metadata": {"aws:cdk:path": "Shop/App/Resource", "aws:asset:path": format!("asset.{asset}"), "aws:asset:property": "Code"},
    })
}

fn cdk_api() -> Value {
    json!({"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "Api", "ProtocolType": "HTTP"}})
}

fn cdk_integration() -> Value {
    let properties = json!({"ApiId": {"Ref": "Api"}, "IntegrationType": "AWS_PROXY", "IntegrationUri": {"Fn::GetAtt": ["App", "Arn"]}});
    json!({"Type": "AWS::ApiGatewayV2::Integration", "Properties": properties})
}

fn cdk_rule() -> Value {
    let targets = json!([{"Arn": {"Fn::GetAtt": ["App", "Arn"]}, "Id": "Target0"}]);
    json!({"Type": "AWS::Events::Rule", "Properties": {"ScheduleExpression": "rate(5 minutes)", "Targets": targets}})
}

fn stack(resources: &Value) -> String {
    serde_json::to_string_pretty(&json!({ "Resources": resources })).unwrap()
}

#[test]
fn what_cdk_has_synthesized_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(path, "cdk.json", "{\"app\": \"python3 app.py\"}\n");
    let output = doctor(&[path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("cdk synth"), "{}", text(&output.stderr));

    let api = |timeout: u32, handler: &str| {
        stack(
            &json!({"App": cdk_function("abc1", timeout, handler), "Api": cdk_api(), "Integration": cdk_integration()}),
        )
    };
    write(path, "cdk.out/asset.abc1/app.py", WSGI);
    write(path, "cdk.out/manifest.json", "{}");
    // A stack that is somebody else's, and one without resources of functions.
    write(path, "cdk.out/Net.template.json", &stack(&json!({"Vpc": {"Type": "AWS::EC2::VPC"}})));
    write(path, "cdk.out/Shop.template.json", &api(29, "app.app"));
    assert_eq!(found(path, &[]), Vec::<Value>::new());

    write(path, "cdk.out/Shop.template.json", &api(60, "ap.app"));
    let nested = json!({"App": cdk_function("abc1", 29, "app.app"), "Rule": cdk_rule()});
    write(path, "cdk.out/ShopNested1.nested.template.json", &stack(&nested));
    let stage = json!({"App": cdk_function("../abc1", 2, "app.app")});
    let stage = stack(&stage).replace("asset.../", "../asset.");
    write(path, "cdk.out/assembly-Prod/ProdShop.template.json", &stage);
    let expected = [
        "cdk.out/Shop.template.json handler-import",
        "cdk.out/ShopNested1.nested.template.json trigger-not-http",
        "cdk.out/Shop.template.json timeout-above-front-end",
        "cdk.out/assembly-Prod/ProdShop.template.json timeout-default",
    ];
    let mut all = places(path, &found(path, &[]));
    let mut expected = expected.map(str::to_owned).to_vec();
    all.sort();
    expected.sort();
    assert_eq!(all, expected);
    // The same from inside, and by the key of the bucket alone.
    let inside = places(path, &found(&path.join("cdk.out"), &["--no-run"]));
    assert_eq!(inside.len(), 4, "{inside:#?}");
    write(path, "cdk.out/Shop.template.json", &api(29, "ap.app").replace("aws:asset:path", "x"));
    assert!(places(path, &found(path, &[])).contains(&"cdk.out/Shop.template.json handler-import".to_owned()));
}

const SERVERLESS: &str = "service: shop\nplugins:\n  - serverless-wsgi\n  - serverless-offline\ncustom:\n  wsgi:\n    app: \
                          app.app\nfunctions:\n  wsgi:\n    handler: wsgi_handler.handler\n    events: [{http: ANY /}]\n";

/// What `serverless package` writes: code in a zip next to it, whose name is that of the key.
fn packaged(handler: &str, variables: &Value, more: &Value) -> String {
    let mut resources = json!({
        "ServerlessDeploymentBucket": {"Type": "AWS::S3::Bucket"},
        "ApiLambdaFunction": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": {"S3Bucket": {"Ref": "ServerlessDeploymentBucket"}, "S3Key": "serverless/shop/dev/1700000000000-2023/shop.zip"},
                "Handler": handler,
                "Runtime": "provided.al2023",
                "FunctionName": "shop-dev-api",
                "MemorySize": 1024,
                "Timeout": 29,
                "Environment": {"Variables": variables},
                "Layers": ["arn:aws:lambda:eu-west-1:1:layer:wsgi-lambda:1"],
            },
        },
        "HttpApi": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "dev-shop", "ProtocolType": "HTTP"}},
        "HttpApiIntegrationApi": {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {"ApiId": {"Ref": "HttpApi"}, "IntegrationUri": {"Fn::GetAtt": ["ApiLambdaFunction", "Arn"]}},
        },
    });
    resources.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    stack(&resources)
}

const OUTPUT: &str = ".serverless/cloudformation-template-update-stack.json";

#[test]
fn a_serverless_yml_has_a_way_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(path, "serverless.yml", "service: shop\n");
    let output = doctor(&[path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    for part in ["serverless package", OUTPUT, "serverless.yml is not read"] {
        assert!(text(&output.stderr).contains(part), "{}", text(&output.stderr));
    }
    // With an application, that is checked, and the note stays.
    write(path, "app.py", WSGI);
    let notes = found(path, &["--app", "app:app"]);
    assert_eq!(notes, Vec::<Value>::new());
    write(
        path,
        "app.py",
        &APP.replace("from flask import Flask", "class Flask:\n    def __init__(self, name): pass\n"),
    );
    let notes = found(path, &["--no-run"]);
    assert_eq!(ids(&notes), ["template-unread"]);
    assert!(notes[0]["fix"].as_str().unwrap().contains("sls package"), "{notes:#?}");
}

#[test]
fn what_serverless_has_packaged_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(path, "serverless.yml", "service: shop\n");
    let mut archive = Archive::default();
    archive.add("app.py", Contents::Bytes(WSGI.into()), false);
    std::fs::create_dir(path.join(".serverless")).unwrap();
    archive.write_zip(&path.join(".serverless/shop.zip"), |_| {}).unwrap();
    write(path, OUTPUT, &packaged("app.app", &json!({"STAGE": "dev"}), &json!({})));
    let notes = found(path, &[]);
    assert_eq!(ids(&notes), ["template-unread"], "{notes:#?}");
    assert!(notes[0]["what"].as_str().unwrap().contains("is not read itself"), "{notes:#?}");

    write(path, "serverless.yml", SERVERLESS);
    let warm = json!({"WarmUpRule": cdk_rule()});
    let warm: Value = serde_json::from_str(&warm.to_string().replace("\"App\"", "\"ApiLambdaFunction\"")).unwrap();
    write(path, OUTPUT, &packaged("wsgi_handler.handler", &json!({"STRIP_STAGE_PATH": "yes"}), &warm));
    let found = found(path, &[]);
    let expected = [
        "event-handler",
        "trigger-not-http", // errors
        "peer-variable",
        "peer-file",
        "peer-file",
        "peer-file", // warnings
        "template-unread",
    ];
    assert_eq!(ids(&found), expected, "{found:#?}");
    let lines: Vec<_> =
        found.iter().filter(|one| one["id"] == "peer-file").map(|one| one["line"].as_u64().unwrap()).collect();
    // The function that is called wsgi is none of the plugin's settings.
    assert_eq!(lines, [3, 6, 10]);
    // The handler's fix is what custom.wsgi.app named.
    let fixes: Vec<_> = found.iter().map(|one| one["fix"].as_str().unwrap()).collect();
    assert!(fixes.iter().any(|fix| fix.contains("handler: app.app")), "{fixes:#?}");
}

#[test]
fn variables_of_peers_in_a_serverless_yml_are_named_before_it_is_packaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let yml = "service: shop\nprovider:\n  environment:\n    STRIP_STAGE_PATH: 'yes'\n    STAGE: dev\nfunctions:\n  \
               app:\n    environment:\n      API_GATEWAY_BASE_PATH: shop\n";
    write(path, "serverless.yml", yml);
    write(path, "app.py", WSGI);
    let named = found(path, &["--app", "app:app"]);
    assert_eq!(ids(&named), ["peer-variable"; 2], "{named:#?}");
    let lines: Vec<_> = named.iter().map(|one| one["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [4, 9]);
    assert!(named[1]["fix"].as_str().unwrap().contains("environment: {WSGI_LAMBDA_BASE_PATH: /shop}"), "{named:#?}");
    // Then what it has written tells.
    write(path, OUTPUT, &packaged("app.app", &json!({}), &json!({})));
    assert_eq!(found(path, &["--app", "app:app"]), Vec::<Value>::new());
}

#[test]
fn terraforms_json_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(path, "main.tf.json", "{}");
    for arguments in [vec![path.to_str().unwrap()], vec!["--terraform", path.to_str().unwrap()]] {
        let output = doctor(&arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("main.tf.json is not read"), "{}", text(&output.stderr));
    }
}

#[test]
fn a_template_that_is_older_than_its_source_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(path, OUTPUT, &packaged("app.app", &json!({}), &json!({})));
    write(path, "serverless.yml", "service: shop\n");
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(60);
    std::fs::File::options().append(true).open(path.join("serverless.yml")).unwrap().set_modified(later).unwrap();
    let found = found(path, &["--no-run"]);
    assert_eq!(ids(&found), ["template-unread"]);
    assert!(found[0]["what"].as_str().unwrap().contains("was changed after"), "{found:#?}");
}

#[test]
fn files_of_other_adapters_are_named_with_what_replaces_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let clean = "Flask==3.0\n# mangum\nmangum-extra\n";
    write(
        path,
        "app.py",
        &format!("class Flask:\n    def __init__(self, name): pass\n{}", APP.replace("from flask import Flask", "")),
    );
    write(path, "requirements.txt", clean);
    assert_eq!(found(path, &["--no-run"]), Vec::<Value>::new());
    for (name, text, line, what) in [
        ("zappa_settings.json", "{}", 1, "zappa_settings.json"),
        ("wsgi_handler.py", "", 1, "wsgi_handler.py"),
        ("requirements.txt", "flask\nMangum==0.22\n", 2, "mangum"),
        ("requirements-lambda.txt", "apig_wsgi\n", 1, "apig-wsgi"),
        ("requirements/prod.txt", "flask\nserverless-wsgi>=3\n", 2, "serverless-wsgi"),
        ("pyproject.toml", "[project]\ndependencies = [\n  \"zappa>=0.60\",\n]\n", 3, "zappa"),
        ("Pipfile", "[packages]\naws-wsgi = \"*\"\n", 2, "aws-wsgi"),
    ] {
        write(path, name, text);
        let found = found(path, &["--no-run"]);
        assert_eq!(ids(&found), ["peer-file"], "{name}");
        assert_eq!(found[0]["line"].as_u64(), Some(line), "{name}");
        assert!(found[0]["what"].as_str().unwrap().contains(what), "{found:#?}");
        assert!(found[0]["file"].as_str().unwrap().ends_with(name) && !found[0]["fix"].as_str().unwrap().is_empty());
        if name == "requirements.txt" {
            write(path, name, clean);
        } else {
            std::fs::remove_file(path.join(name)).unwrap();
        }
    }
}

#[test]
fn functions_of_another_adapter_are_named_when_none_is_ours() {
    let template = root().join("tests/doctor/event-handler/template.yaml");
    let folder = tempfile::tempdir().unwrap();
    let text_of = std::fs::read_to_string(template).unwrap();
    let kept = |line: &&str| !line.contains("Layers:") && !line.contains("Environment:");
    let plain: Vec<&str> = text_of.lines().filter(kept).collect();
    let plain = plain.join("\n");
    write(folder.path(), "template.yaml", &plain);
    let source = std::fs::read_to_string(root().join("tests/doctor/event-handler/src/by_mangum.py")).unwrap();
    write(folder.path(), "src/by_mangum.py", &source);
    let output = doctor(&[folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("F0 (mangum: docs/migrate.md"), "{}", text(&output.stderr));
}

#[test]
fn nothing_to_check_is_no_success() {
    let folder = tempfile::tempdir().unwrap();
    let check = |part: &str| {
        let output = doctor(&[folder.path().to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
        assert!(text(&output.stderr).contains(part), "{}", text(&output.stderr));
    };
    check("looked for template.yaml");
    check("cdk.out/*.template.json");
    write(folder.path(), "main.tf", "");
    check("It has no function at all");
    write(folder.path(), "main.tf", "resource \"aws_lambda_function\" \"node\" {\n  runtime = \"nodejs24.x\"\n}\n");
    check("Functions of another kind: aws_lambda_function.node");
}

#[test]
fn a_function_on_the_web_adapter_is_not_ours() {
    let folder = tempfile::tempdir().unwrap();
    let template = "Transform: AWS::Serverless-2016-10-31\nResources:\n  App:\n    Type: AWS::Serverless::Function\n    \
                    Properties:\n      Runtime: nodejs24.x\n      Handler: run.sh\n      CodeUri: app\n      Environment: \
                    {Variables: {AWS_LAMBDA_EXEC_WRAPPER: /opt/bootstrap, PORT: 8000}}\n      Layers:\n        - !Sub \
                    arn:aws:lambda:${AWS::Region}:753240598075:layer:LambdaAdapterLayerX86:25\n";
    write(folder.path(), "template.yaml", template);
    let output = doctor(&[folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("App (Lambda Web Adapter: docs/migrate.md"), "{}", text(&output.stderr));
}

#[test]
fn the_application_that_another_tool_knows_is_suggested() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text_of, app) in [
        (
            "zappa_settings.json",
            "{\"dev\": {\"app_function\": \"shop.main.app\", \"keep_warm\": true}}",
            "shop.main.app",
        ),
        ("zappa_settings.json", "{\"dev\": {\"django_settings\": \"shop.settings\"}}", "shop.wsgi.application"),
        ("serverless.yml", "custom: {wsgi: {app: api.shop.app}}\n", "api.shop.app"),
    ] {
        write(folder.path(), name, text_of);
        let output = doctor(&[folder.path().to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(&format!("--app {app} ")), "{}", text(&output.stderr));
        std::fs::remove_file(folder.path().join(name)).unwrap();
    }
}
